"""Measuring what frames cost, profiles as files, and comparing two of them.

    profiler ──▶ Run, raw samples ──▶ summary    what `get_stats` returns
                       │
                       ▼
                    Profile ◀──▶ JSON ──▶ comparison ──▶ Markdown, plot

Independent of what is measured: callers name the sections and counters.
"""
