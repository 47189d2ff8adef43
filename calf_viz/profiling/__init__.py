"""Measuring: what frames cost, profiles as files, and comparisons of two of them.

    profiler ──▶ Run, raw samples ──▶ summary    what `get_stats` tells
                       │
                       ▼
                    Profile ◀──▶ JSON ──▶ comparison ──▶ Markdown, plot

Knows nothing of what is measured: sections and counters have the names that others give them.
"""
