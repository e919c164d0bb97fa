"""Stand-ins for three public spotters: their folders, arguments, functions and output files, and no network inside.

They were written after reading the tools' sources: opensportslib 0.3 (``LocalizationModel.infer(video_path=...)``),
lRomul/ball-action-spotting (``scripts/ball_action/predict.py``) and arturxe2/T-DEED (``inference.py``). Each finds the
actions of a list, 100 ms late.
"""

import json
import sys
from pathlib import Path

ACTIONS_MS = ((1_000, "PASS", 0.9), (3_000, "DRIVE", 0.8), (4_000, "PASS", 0.06), (31_000, "CROSS", 0.7))

_OPENSPORTSLIB = """
import json

class LocalizationModel:
    def __init__(self, config=None, weights=None, remote=None, remote_model_id=None):
        if config is None and weights is None:
            raise ValueError("config path is required")
        self.weights = weights

    def infer(self, test_set=None, weights=None, use_wandb=True, video_path=None, session_id=None, **kwargs):
        if use_wandb:
            raise RuntimeError("a login is needed")
        print("Save directory: ./checkpoints", flush=True)
        for percent in (0, 50, 100):
            print(f"{percent}%|#####|", end="\\r", flush=True)
        return {"version": "2.0", "task": "action_spotting", "data": [{
            "id": "clip", "inputs": [{"type": "video", "path": video_path, "fps": 12.5}],
            "events": [  # raw, without suppression: a row for every frame of an action
                {"head": "action", "label": label, "position_ms": at + 100 + 80 * k, "frame": at // 80 + k,
                 "gameTime": f"1 - {at // 60000:02}:{at // 1000 % 60:02}", "confidence": confidence / 2 ** abs(k)}
                for at, label, confidence in ACTIONS for k in range(-3, 4) if confidence / 2 ** abs(k) >= 0.01],
        }]}

    def save_predictions(self, output_path, predictions):
        with open(output_path, "w", encoding="utf-8") as f:
            json.dump(predictions, f)
        return output_path
"""
_T_DEED = """
import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument('--model', type=str, required=True)
parser.add_argument('--video_path', type=str, required=True)
parser.add_argument('--frame_width', type=int, default=796)
parser.add_argument('--frame_height', type=int, default=448)
parser.add_argument('--inference_threshold', type=float, default=0.2)
parser.add_argument('-ag', '--acc_grad_iter', type=int, default=1)
parser.add_argument('--seed', type=int, default=1)
args = parser.parse_args()
open(os.path.join('config', args.model.split('_')[0], args.model + '.json')).close()
assert os.path.exists(args.video_path), args.video_path
print('START INFERENCE')
found = [{'frame': (at + 100) // 80 * 2, 'label': label, 'confidence': confidence}
         for at, label, confidence in ACTIONS if confidence >= args.inference_threshold]
os.makedirs('inference_output', exist_ok=True)
with open('inference_output/results_inference.json', 'w') as fp:
    json.dump({'predictions': found}, fp, indent=4)
print('CORRECTLY FINISHED INFERENCE STEP')
"""
_CONSTANTS = """
from pathlib import Path
work_dir = Path("/workdir")
data_dir = work_dir / "data"
configs_dir = work_dir / "configs"
soccernet_dir = data_dir / "soccernet"
"""
_BALL_CONSTANTS = """
from src.constants import data_dir, soccernet_dir
ball_action_dir = data_dir / "ball_action"
experiments_dir = ball_action_dir / "experiments"
ball_action_soccernet_dir = soccernet_dir / "spotting-ball-2023"
"""
_PREDICT = """
from pathlib import Path
from src.ball_action import constants
TTA = True
ACTIONS_OF = ACTIONS

def get_best_model_path(dir_path):
    return next(iter(sorted(Path(dir_path).glob("*.pth"))), None)

def get_video_info(video_path):
    return {"frame_count": 1350, "fps": 25.0}

class MultiDimPredictor:
    def __init__(self, model_path, device="cuda:0", tta=False):
        assert Path(model_path).is_file() and tta

def get_raw_predictions(predictor, video_path, frame_count):
    assert isinstance(video_path, Path) and frame_count == 1350
    return [0], None

def raw_predictions_to_actions(frame_indexes, raw_predictions):
    return {
        name: ([(at + 100) // 40 for at, label, _ in ACTIONS if label == name],
               [c for _, label, c in ACTIONS if label == name])
        for name in ("PASS", "DRIVE")
    }

if __name__ == "__main__":
    raise SystemExit("the script is not run as a program")
"""


def python_of(folder: Path) -> Path:
    """A Python in an environment's place."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return python


def opensportslib(folder: Path, actions: tuple = ACTIONS_MS) -> Path:
    """A folder for ``PYTHONPATH``."""
    package = folder / "opensportslib" / "apis"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").write_text(f"ACTIONS = {json.dumps(actions)}\n{_OPENSPORTSLIB}")
    return folder


def t_deed(folder: Path, actions: tuple = ACTIONS_MS) -> Path:
    """A clone of the repository, with an environment."""
    (folder / "config" / "SoccerNetBall").mkdir(parents=True)
    (folder / "config" / "SoccerNetBall" / "SoccerNetBall_challenge1.json").write_text("{}")
    (folder / "inference.py").write_text(f"ACTIONS = {json.dumps(actions)}\n{_T_DEED}")
    python_of(folder)
    return folder


def ball_action_spotting(folder: Path, actions: tuple = ACTIONS_MS) -> Path:
    """A clone of the repository, with an environment and a trained model."""
    for part in (
        "src/ball_action",
        "scripts/ball_action",
        "data/ball_action/experiments/ball_finetune_long_004/fold_0",
    ):
        (folder / part).mkdir(parents=True)
    (folder / "src" / "__init__.py").touch()
    (folder / "src" / "constants.py").write_text(_CONSTANTS)
    (folder / "src" / "ball_action" / "__init__.py").touch()
    (folder / "src" / "ball_action" / "constants.py").write_text(_BALL_CONSTANTS)
    (folder / "scripts" / "ball_action" / "predict.py").write_text(f"ACTIONS = {json.dumps(actions)}\n{_PREDICT}")
    model = folder / "data" / "ball_action" / "experiments" / "ball_finetune_long_004" / "fold_0" / "model-020-0.86.pth"
    model.touch()
    python_of(folder)
    return folder
