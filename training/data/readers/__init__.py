"""Readers of raw logs, one file a publisher; importing this package registers each as a choice of ``data=``."""

from hydra.core.config_store import ConfigStore

from training.data.parsing.canonical import Log, LogConfig
from training.data.readers.diginetica import DigineticaConfig
from training.data.readers.events import EventsConfig
from training.data.readers.online_retail import OnlineRetailConfig
from training.data.readers.otto import OttoConfig
from training.data.readers.rees46 import Rees46Config
from training.data.readers.retailrocket import RetailrocketConfig
from training.data.readers.sequences import SequencesConfig
from training.data.readers.sessions_split import SessionsSplitConfig
from training.data.readers.yoochoose import YoochooseConfig

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
