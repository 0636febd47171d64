"""How much memory an index takes, in a process that has just started: beyond the pages of its files that it touched.

Those pages belong to the page cache, are shared by all processes and can be dropped at any time; the rest is the process's
own. Fails if that is more than the limit.
"""

from __future__ import annotations
