"""Evaluate a trained run on its test part, beside baselines; or the baselines of a data set alone.

python -m training.evaluate run=RUN_ID [out=DIR]
python -m training.evaluate dataset=DIR baselines=[sequential_rules,item_knn]
python -m training.evaluate run=RUN_ID policy=FILE
python -m training.evaluate policy=FILE bundle=DIR feedback=DIR [out=DIR]

With a policy, placements are evaluated instead, and policy.json is written beside metrics.json. With a feedback folder
the policy is judged by what shoppers did in answers that another one left to chance; off_policy.json says the same.
"""

from pathlib import Path

from training.cli.command import begin, command, refuse_no_dataset, refuse_no_feedback
from training.cli.loading import loading
from training.settings.evaluate import EvaluateConfig
from training.tracking.finding import find_run


@command("evaluate", EvaluateConfig)
def main(config: EvaluateConfig) -> None:
    """Entry point."""
    if config.out is not None and Path(config.out).exists() and not Path(config.out).is_dir():
        raise ValueError(f"out={config.out} exists and is not a directory")
    if config.run is not None:
        config.run = find_run(config.tracking, config.run)
    refuse_no_dataset(config.dataset)
    if config.feedback is not None:
        refuse_no_feedback(config.feedback)
        begin(f"evaluate: policy={config.policy} by feedback={config.feedback}")
    else:
        begin(f"evaluate: {f'run {config.run}' if config.run else f'dataset={config.dataset}'}")
    with loading():
        from training.stages import evaluate

    evaluate.run(config)


if __name__ == "__main__":
    main()
