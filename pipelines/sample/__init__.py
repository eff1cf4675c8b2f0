"""The sample region: a simulated season of simulated fields, seeded and rebuilt in seconds, everywhere said to be so.

Land and claims (`land`, `claims`), weather (`climate`), crops (`cropping`), ground and sky (`ground`, `sky`), pictures
(`pictures`, `catalogue`) and tables (`records`) are drawn from one seed; `build_sample` puts them in a folder.
"""

from pipelines.sample.build import SampleRegion, build_sample
from pipelines.sample.settings import SampleSettings, load_settings

__all__ = ["SampleRegion", "SampleSettings", "build_sample", "load_settings"]
