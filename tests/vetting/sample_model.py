"""Write the model with which `doctor` tries out vetting: ``python -m tests.vetting.sample_model``.

It averages squares of 7 by 7 pixels and has random weights.
"""

from __future__ import annotations

from mnist_tasks.vetting.trial import SAMPLE
from tests.vetting.crafted import handmade

if __name__ == "__main__":
    SAMPLE.write_bytes(handmade.write_h5(handmade.small()))
