"""The objective "volume-regression": predict the target of patches or whole volumes."""

from __future__ import annotations

from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

from synthesis.data.patches import VolumeBatch
from synthesis.training import parallel
from synthesis.training.steps import reduced
from synthesis.training.translation import TranslationLearner

_LOSSES = {"mse": F.mse_loss, "mae": F.l1_loss}


class VolumeRegressionLearner(TranslationLearner):
    """Trains one generator by mean squared or mean absolute error over all voxels."""

    def learn(self, batch: VolumeBatch, step: int, rate: float) -> dict[str, float]:
        """Take one Adam step."""
        del step
        with reduced(self.config):
            predicted = self.forward(batch.inputs)
        loss = _LOSSES[self.settings.loss](predicted.float(), batch.truth)
        length = self.descend(loss, self.optimiser, rate)
        return {"loss": parallel.mean(loss), "gradient": length}
