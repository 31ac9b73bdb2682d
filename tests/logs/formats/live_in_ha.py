"""Home Assistant itself goes through a few commands and writes its database: `python live_in_ha.py FOLDER`, in a Python
that has it.
"""

import asyncio
import logging
import sys

from homeassistant import bootstrap, config_entries, core, loader
from homeassistant.setup import async_setup_component

PERSON = "0123456789abcdef0123456789abcdef"
SAID = (  # entity, state, who: "anna", "automation" (something has triggered it), or nobody knows
    ("light.kitchen", "off", ""),
    ("light.hall", "off", ""),
    ("binary_sensor.hall", "off", ""),
    ("scene.evening", "unknown", ""),
    ("sensor.outside", "3.5", ""),
    ("sun.sun", "above_horizon", ""),
    ("light.kitchen", "on", "anna"),
    ("light.kitchen", "on", ""),  # the same again is no change, and not written
    ("binary_sensor.hall", "on", ""),
    ("light.hall", "on", "automation"),
    ("light.kitchen", "unavailable", ""),
    ("light.kitchen", "on", ""),
    ("light.kitchen", "off", ""),
    ("scene.evening", "2026-01-05T19:00:00+00:00", "anna"),
    ("scene.evening", "2026-01-06T19:00:00+00:00", "anna"),
    ("sensor.outside", "3.6", ""),
)


async def live(folder: str) -> None:
    hass = core.HomeAssistant(folder)
    hass.config.skip_pip = True
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    loader.async_setup(hass)
    await bootstrap.load_registries(hass)
    bootstrap.recorder.async_initialize_recorder(hass)
    url = f"sqlite:///{folder}/home-assistant_v2.db"
    assert await async_setup_component(hass, "recorder", {"recorder": {"db_url": url, "commit_interval": 0}})
    await hass.async_start()
    trigger = core.Context()
    for entity, state, who in SAID:
        context = core.Context(user_id=PERSON if who == "anna" else None)
        if who == "automation":
            context = core.Context(parent_id=trigger.id)
        hass.states.async_set(entity, state, context=context)
        await hass.async_block_till_done()
        await asyncio.sleep(0.01)  # its clock goes on
    await hass.async_stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(live(sys.argv[1]))
