"""The graphs of this example in the client's own Python (`dsl`); `pipeline.yml` is the same in YAML."""

from azure.ai.ml import Input
from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.dsl import pipeline


def training(prepare, train, encoding):
    """A pipeline that prepares data, categories encoded as `ordinal` or `onehot`, and trains on it."""

    @pipeline(name=f"heart_training_{encoding}", display_name=f"Train on heart data, {encoding}")
    def heart_training(input_data: Input(type=AssetTypes.URI_FOLDER)):
        prepared = prepare(data=input_data, categorical_encoding=encoding)
        prepared.name = "prepare"
        trained = train(data=prepared.outputs.prepared_data, target_column="target", eval_size=0.3)
        trained.name = "train"
        return {
            "model": trained.outputs.model,
            "evaluation_results": trained.outputs.evaluation_results,
            "transformations": prepared.outputs.transformations_output,
        }

    return heart_training


def preparation(prepare):
    """A pipeline that prepares data as it was prepared for a model."""

    @pipeline(name="heart_preparation", display_name="Prepare new patients")
    def heart_preparation(
        input_data: Input(type=AssetTypes.URI_FOLDER), transformations: Input(type=AssetTypes.CUSTOM_MODEL)
    ):
        prepared = prepare(data=input_data, transformations=transformations)
        prepared.name = "prepare"
        return {"prepared_data": prepared.outputs.prepared_data}

    return heart_preparation
