"""Readers of raw logs, one file a publisher; importing this package registers each as a choice of ``data=``."""

from hydra.core.config_store import ConfigStore

from training.readers.diginetica import DigineticaConfig
from training.readers.events import EventsConfig
from training.readers.log import Log, LogConfig
from training.readers.online_retail import OnlineRetailConfig
from training.readers.otto import OttoConfig
from training.readers.rees46 import Rees46Config
from training.readers.retailrocket import RetailrocketConfig
from training.readers.sequences import SequencesConfig
from training.readers.sessions_split import SessionsSplitConfig
from training.readers.yoochoose import YoochooseConfig

READERS: tuple[type[LogConfig], ...] = (
    EventsConfig,
    Rees46Config,
    RetailrocketConfig,
    YoochooseConfig,
    DigineticaConfig,
    OttoConfig,
    OnlineRetailConfig,
    SessionsSplitConfig,
    SequencesConfig,
)

for reader in READERS:
    ConfigStore.instance().store(group="data", name=f"{reader.name}_schema", node=reader)

__all__ = ["READERS", "Log", "LogConfig"]
