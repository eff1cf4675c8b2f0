"""Tables in, one page out: the report of a run as a single self-contained HTML file.

The room takes the tables of a run (plots, observations and their manifest, estimates, decisions) and returns the page
as text: a map, index curves with their gaps, the limits and what set them, the reasons counted, and the provenance.
It opens no file of a run, no network and no clock: the same tables in any row order give the same bytes.

How a page is made: `inputs` checks what came in, `joined` turns the tables into plots and farmers, one module a
section (`headline`, `atlas`, `curves`, `limits`, `reasons`, `provenance`) turns those into words and drawings,
`payload` packs what the page's script needs, and `page` fills the template.
"""

from agrocredit.report.inputs import ReportInputs
from agrocredit.report.page import render_report

__all__ = ["ReportInputs", "render_report"]
