"""The config of the best trial of a sweep as a YAML file, with what it reached."""

from charrnn.report.config_text import config_text
from charrnn.report.event_lines import figure
from charrnn.report.run_table import text_name
from charrnn.report.sweep_labels import counts_line
from charrnn.results import DescribedConfig, SweepReport
from charrnn.system.escaping import harmless_message


def best_config_text(report: SweepReport, config: DescribedConfig) -> str:
    """The config as YAML, below comments on the sweep and its score."""
    best = report.trial(report.best[0])
    loss = f"validation loss {figure(best.value or 0)} nats per character"
    lines = [
        f"The best of the sweep {report.name} ({counts_line(report)}), trial {best.number}, on "
        f"{text_name(report.texts)}:",
        f"{loss}, training {figure(best.train)}." if best.train is not None else f"{loss}.",
    ]
    for one in report.repeated[:1]:
        lines.append(
            f"With {len(one.values)} seeds: {figure(one.mean)} ± {figure(one.spread)} (mean and "
            "standard deviation)."
        )
    lines.append("Settings that are not listed have their defaults. charrnn train TEXT -c FILE")
    comments = [f"# {harmless_message(line)}".replace("\n", " ") for line in lines]
    return "\n".join([*comments, "", config_text(config, show_defaults=True)])
