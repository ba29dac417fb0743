"""tl_core.models.weights.sources and what stands under it: every source, every way it can fail, and why."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as to_safetensors
from safetensors.torch import save_file

from tests.core.hub_stand_in import COMMIT, serve
from tl_core.base.errors import UnknownWeights, WeightsMismatch, WeightsUnavailable
from tl_core.base.messages import LANGUAGES, catalogue
from tl_core.models.families.registry import ARCHITECTURES
from tl_core.models.weights import hub, locate, sources, state_dicts
from tl_core.models.weights.sources import (
    Limits,
    WeightsRecord,
    availability,
    choose,
    class_names,
    load_state,
)

QUICK = Limits(probe_seconds=1.0, answer_seconds=1.0, stall_seconds=1.0, least_bytes=10_000)
# where slowness is what is tested
PATIENT = Limits(probe_seconds=30, answer_seconds=30, stall_seconds=60)
# everywhere else: a busy machine must not look like a slow hub


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Caches of our own, no hub, no proxy, whatever the machine's settings are."""
    from huggingface_hub import constants

    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HOME", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HEADSWAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nobody listens
    monkeypatch.setenv("HEADSWAP_TORCHVISION_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path


@pytest.fixture(scope="session")
def state() -> dict[str, torch.Tensor]:
    """Random weights of a whole network, under timm's names."""
    import timm

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        return timm.create_model("efficientnet_b0", pretrained=False).state_dict()


@pytest.fixture(scope="session")
def good(state) -> bytes:
    return to_safetensors({k: v.half() if v.is_floating_point() else v for k, v in state.items()})


@pytest.fixture(scope="session")
def wrong_shape(state) -> bytes:
    return to_safetensors({**state, "conv_stem.weight": torch.zeros(40, 3, 3, 3)})


def unavailable(source: str, limits: Limits = PATIENT) -> tuple[str, str]:
    with pytest.raises(WeightsUnavailable) as caught:
        choose(source, limits=limits)
    values = caught.value.values
    assert values["source"] == source
    for language in LANGUAGES:
        assert f"reason.{values['reason']}" in catalogue(language)
        assert source in caught.value.message(language)
    return values["reason"], values["detail"]


def assert_cache_is_empty(folder) -> None:
    left = [p for p in folder.rglob("*") if p.is_file() or p.is_symlink()]
    assert not [p for p in left if p.stat().st_size > 1000], left


# --- the hub


def test_names_of_the_hubs_file_are_timms_own():
    import timm

    config = timm.get_pretrained_cfg(ARCHITECTURES["efficientnet_b0"].weights_name)
    assert config.hf_hub_id == locate.HUB_REPO
    with torch.device("meta"):
        assert timm.create_model("efficientnet_b0").pretrained_cfg["hf_hub_id"] == locate.HUB_REPO


def test_good_hub_is_downloaded_once_and_its_tensors_arrive(places, monkeypatch, good, state):
    import timm

    seen = []
    with serve(good) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        choice = choose("imagenet", limits=PATIENT, on_progress=lambda *n: seen.append(n))
        assert f"HEAD /{locate.HUB_REPO}/resolve/main/model.safetensors" in server.asked
        assert f"GET /{server.sha256}" in server.asked
        assert choice.sha256 == server.sha256
        asked = len(server.asked)
        assert choose("auto", limits=PATIENT).why == "auto_cached"
        assert len(server.asked) == asked, "a cached file needs no network"
    assert seen and all(total == len(good) and 0 <= done <= total for done, total in seen)
    assert places / "hf" in choice.path.parents and COMMIT in choice.path.parts
    assert (choice.source, choice.why, choice.is_pretrained) == ("imagenet", "asked", True)
    assert choice.has_head and choice.num_classes == 1000
    config = timm.get_pretrained_cfg(ARCHITECTURES["efficientnet_b0"].weights_name)
    assert (choice.mean, choice.std) == (config.mean, config.std)
    assert (choice.interpolation, choice.crop_pct) == (config.interpolation, config.crop_pct)

    loaded = load_state(choice, "timm")
    assert set(loaded) == set(state)
    for key, tensor in state.items():
        assert loaded[key].dtype in (torch.float32, torch.int64)
        assert torch.equal(loaded[key], tensor.half().float() if tensor.is_floating_point() else tensor), key
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert choose("imagenet").path == choice.path, "cached weights must work offline"


def test_auto_downloads_from_a_reachable_hub_and_says_so(monkeypatch, good):
    with serve(good) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        choice = choose("auto", limits=PATIENT)
    assert (choice.source, choice.requested, choice.why) == ("imagenet", "auto", "auto_downloaded")


def test_unreachable_hub_is_said_and_auto_takes_lite0(places):
    assert unavailable("imagenet")[0] == "no_network"
    choice = choose("auto", limits=PATIENT)
    assert (choice.source, choice.requested, choice.why) == ("imagenet-lite0", "auto", "auto_no_network")
    assert choice.is_pretrained
    assert_cache_is_empty(places / "hf")


def test_offline_setting_asks_nobody(monkeypatch, good):
    with serve(good) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        monkeypatch.setenv("HEADSWAP_TORCHVISION_URL", server.hub)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        assert unavailable("imagenet")[0] == "no_network"
        assert unavailable("imagenet-torchvision")[0] == "no_network"
        assert choose("auto").why == "auto_no_network"
        assert not server.asked


def test_hub_that_never_answers_is_slow(monkeypatch, good):
    with serve(good, "silent") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        assert unavailable("imagenet", QUICK)[0] == "hub_slow"
        choice = choose("auto", limits=QUICK)
        assert (choice.source, choice.why) == ("imagenet-lite0", "auto_hub_slow")


def test_trickling_download_is_given_up_and_leaves_nothing(places, monkeypatch, good):
    with serve(good, "trickle") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        limits = Limits(answer_seconds=30, stall_seconds=3, least_bytes=10_000)
        assert unavailable("imagenet", limits)[0] == "hub_slow"
    assert_cache_is_empty(places / "hf")
    assert not list((places / "hf").rglob("*.incomplete"))
    assert hub.find(locate.HUB_REPO, locate.HUB_FILE) is None


@pytest.mark.parametrize("behaviour", ["truncated", "restarting", "flipped"])
def test_broken_or_altered_download_never_stays_in_the_cache(places, monkeypatch, good, behaviour):
    # `restarting` would keep the library busy for ever; only the stall limit ends it
    stall = {"restarting": Limits(answer_seconds=30, stall_seconds=10, least_bytes=10**9)}
    with serve(good, behaviour) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        assert unavailable("imagenet", stall.get(behaviour, PATIENT))[0] == "hub_truncated"
        assert_cache_is_empty(places / "hf")
        assert hub.find(locate.HUB_REPO, locate.HUB_FILE) is None
        server.behaviour = "good"
        assert choose("imagenet", limits=PATIENT).sha256 == server.sha256, "a second try must succeed"


def test_cached_file_that_rotted_is_fetched_again(monkeypatch, good):
    with serve(good) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        path = choose("imagenet", limits=PATIENT).path
        if not path.is_symlink():
            pytest.skip("without symbolic links the cache keeps no hash to compare with")
        blob = path.resolve()
        blob.chmod(0o644)
        blob.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        assert hub.find_sound(locate.HUB_REPO, locate.HUB_FILE) is None
        assert not path.exists() and not blob.exists()
        assert choose("imagenet", limits=PATIENT).sha256 == server.sha256


def test_wrong_shapes_are_named_and_auto_takes_lite0(monkeypatch, wrong_shape):
    with serve(wrong_shape) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        with pytest.raises(WeightsMismatch, match=r"conv_stem.weight \(40, 3, 3, 3\)"):
            choose("imagenet", limits=PATIENT)
        choice = choose("auto", limits=PATIENT)
        assert (choice.source, choice.why) == ("imagenet-lite0", "auto_mismatch")


@pytest.mark.parametrize(("behaviour", "detail"), [("missing", "404"), ("broken", "500"), ("no_hub", "etag")])
def test_hub_errors_are_said_with_their_number(monkeypatch, good, behaviour, detail):
    with serve(good, behaviour) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        reason, said = unavailable("imagenet", PATIENT)
        assert reason == "hub_error" and detail in said
        assert choose("auto", limits=PATIENT).why == "auto_hub_error"


def test_without_lite0s_package_auto_takes_formula(monkeypatch):
    monkeypatch.setattr(locate, "lite0_path", lambda: None)
    assert unavailable("imagenet-lite0")[0] == "not_installed"
    choice = choose("auto", limits=PATIENT)
    assert (choice.source, choice.why) == ("formula", "auto_no_network")


def test_auto_never_falls_back_to_random_weights(monkeypatch, places):
    monkeypatch.setattr(locate, "lite0_path", lambda: None)
    monkeypatch.setattr(locate, "FORMULA", places / "nowhere.safetensors")
    with pytest.raises(WeightsUnavailable) as caught:
        choose("auto", limits=QUICK)
    assert caught.value.values["reason"] == "not_shipped"


# --- torchvision's server


@pytest.fixture(scope="session")
def torchvision_file(state, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("torchvision") / "b0.pth"
    torch.save(state_dicts.to_library(state, "torchvision"), path)
    return path.read_bytes()


@pytest.fixture
def torchvision_server(monkeypatch, torchvision_file):
    with serve(torchvision_file) as server:
        monkeypatch.setenv("HEADSWAP_TORCHVISION_URL", f"{server.storage}/plain")
        monkeypatch.setattr(locate, "TORCHVISION_SHA256_PREFIX", server.sha256[:8])
        yield server


def test_torchvisions_address_and_hash_are_its_own(monkeypatch):
    from torchvision.models import EfficientNet_B0_Weights

    monkeypatch.delenv("HEADSWAP_TORCHVISION_URL")
    assert locate.torchvision_url() == EfficientNet_B0_Weights.IMAGENET1K_V1.url
    assert locate.torchvision_path().parent == Path(torch.hub.get_dir()) / "checkpoints"
    assert f"-{locate.TORCHVISION_SHA256_PREFIX}.pth" in locate.TORCHVISION_FILE


def test_torchvision_weights_are_downloaded_once_and_serve_both_libraries(torchvision_server, state):
    seen = []
    choice = choose("imagenet-torchvision", limits=PATIENT, on_progress=lambda *n: seen.append(n))
    assert torchvision_server.asked == [f"GET /plain/{locate.TORCHVISION_FILE}"]
    assert seen[-1] == (len(torchvision_server.content),) * 2
    assert choice.path == locate.torchvision_path() and choice.sha256 == torchvision_server.sha256
    assert choice.mean == (0.485, 0.456, 0.406) and choice.crop_pct == 0.875
    assert torch.equal(load_state(choice, "timm")["conv_head.weight"], state["conv_head.weight"])
    assert torch.equal(load_state(choice, "torchvision")["features.8.0.weight"], state["conv_head.weight"])
    for library in ("torchvision", "timm"):
        found = choose("auto", library=library, limits=QUICK)
        assert (found.source, found.why) == ("imagenet-torchvision", "auto_cached")
    assert len(torchvision_server.asked) == 1


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("truncated", "hub_truncated"), ("flipped", "hub_truncated"), ("silent", "hub_slow"),
     ("trickle", "hub_slow"), ("missing", "hub_error")],
)  # fmt: skip
def test_failed_torchvision_download_leaves_nothing(places, torchvision_server, behaviour, reason):
    torchvision_server.behaviour = behaviour
    limits = QUICK if reason == "hub_slow" else PATIENT
    assert unavailable("imagenet-torchvision", limits)[0] == reason
    assert_cache_is_empty(places / "torch")


def test_unreachable_torchvision_server_is_said():
    assert unavailable("imagenet-torchvision")[0] == "no_network"


def test_damaged_torchvision_cache_is_fetched_again(torchvision_server):
    path = locate.torchvision_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(torchvision_server.content[:1000])
    assert choose("imagenet-torchvision", limits=PATIENT).sha256 == torchvision_server.sha256


# --- files


def from_file(path) -> dict[str, torch.Tensor]:
    return load_state(choose(f"file:{path}", backbone="efficientnet_b0"), "timm")


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "backbone.", "_orig_mod.", "module._orig_mod."])
def test_common_prefixes_are_understood(places, state, prefix):
    save_file({f"{prefix}{key}": tensor for key, tensor in state.items()}, places / "w.safetensors")
    loaded = from_file(places / "w.safetensors")
    assert all(torch.equal(loaded[key], tensor) for key, tensor in state.items())


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "model_state_dict", "state_dict_ema"])
def test_wrapped_state_dicts_are_understood(places, state, wrapper):
    torch.save({"epoch": 3, wrapper: state, "best": 0.5}, places / "w.pth")
    loaded = from_file(places / "w.pth")
    assert all(torch.equal(loaded[key], tensor) for key, tensor in state.items())


def test_names_of_both_libraries_are_translated_both_ways(places, state):
    from torchvision import models

    theirs = state_dicts.to_library(state, "torchvision")
    assert {k: v.shape for k, v in theirs.items()} == {
        k: v.shape for k, v in models.efficientnet_b0().state_dict().items()
    }
    assert state_dicts.to_timm(theirs).keys() == state.keys()
    torch.save({"state_dict": {f"module.{k}": v for k, v in theirs.items()}}, places / "w.pt")
    loaded = from_file(places / "w.pt")
    assert all(torch.equal(loaded[key], tensor) for key, tensor in state.items())


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_a_runs_own_model_file_can_be_started_from(places, library):
    from tl_core.models.build import skeleton

    net = skeleton(library, 3, 0.3)
    save_file(net.state_dict(), places / "final.safetensors")
    choice = choose(f"file:{places / 'final.safetensors'}", backbone="efficientnet_b0")
    assert choice.has_head and choice.num_classes == 3 and class_names(choice) is None
    weight = net.part_modules("stem")[0].state_dict()
    weight = weight.get("weight", weight.get("0.weight"))
    assert torch.equal(load_state(choice, "timm")["conv_stem.weight"], weight)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(places, state, dtype):
    save_file({k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}, places / "w.st")
    loaded = from_file(places / "w.st")
    assert loaded["conv_stem.weight"].dtype == torch.float32
    torch.testing.assert_close(loaded["conv_stem.weight"], state["conv_stem.weight"], atol=1e-2, rtol=1e-2)


def test_file_without_a_usable_head_or_counters_still_gives_a_backbone(places, state):
    body = {k: v for k, v in state.items() if not k.startswith("classifier.") and "num_batches" not in k}
    save_file(body, places / "body.safetensors")
    two_layers = {"classifier.0.weight": torch.zeros(64, 1280), "classifier.0.bias": torch.zeros(64),
                  "classifier.3.weight": torch.zeros(8, 64), "classifier.3.bias": torch.zeros(8)}  # fmt: skip
    save_file({**body, **two_layers}, places / "two.safetensors")
    for name in ("body", "two"):
        choice = choose(f"file:{places / name}.safetensors", backbone="efficientnet_b0")
        assert not choice.has_head and choice.num_classes == 0
        assert load_state(choice, "timm").keys() == state.keys() - set(state_dicts.HEAD)


def test_missing_and_unknown_tensors_are_named(places, state):
    short = {k: v for k, v in state.items() if not k.startswith(("blocks.6", "blocks.5"))}
    save_file({**short, "extra.weight": torch.zeros(3)}, places / "w.safetensors")
    with pytest.raises(WeightsMismatch) as caught:
        choose(f"file:{places / 'w.safetensors'}")
    detail = caught.value.values["detail"]
    assert "missing: blocks.5.0.conv_pw.weight" in detail and "more" in detail
    assert "unknown: extra.weight" in detail
    assert len(detail) < 400


def damaged_file(places, kind: str, state):
    path = places / f"{kind}.bin"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("<html>404 Not Found</html>" * 50, encoding="utf-8")
    elif kind == "half_safetensors":
        whole = to_safetensors(state)
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "half_pth":
        torch.save(state, path)
        path.write_bytes(path.read_bytes()[:1_000_000])
    elif kind == "no_tensors":
        torch.save({"epoch": 3}, path)
    elif kind == "not_finite":
        save_file({**state, "conv_head.weight": state["conv_head.weight"] * float("nan")}, path)
    return path


@pytest.mark.parametrize(
    "kind", ["empty", "text", "half_safetensors", "half_pth", "no_tensors", "not_finite"]
)
def test_damaged_files_are_refused_with_a_sentence(places, state, kind):
    path = damaged_file(places, kind, state)
    reason, detail = unavailable(f"file:{path}")
    assert reason == "file_damaged"
    assert "\n" not in detail


class Bomb:
    def __reduce__(self):
        return (print, ("code from a weight file ran",))


def test_a_file_that_would_run_code_is_refused_and_does_not_run(places, capfd):
    torch.save({"state_dict": Bomb()}, places / "bomb.pth")
    assert unavailable(f"file:{places / 'bomb.pth'}")[0] == "unsafe_file"
    torch.save(torch.nn.Linear(2, 2), places / "model.pth")
    assert unavailable(f"file:{places / 'model.pth'}")[0] == "unsafe_file"
    assert "ran" not in capfd.readouterr().out


def test_missing_file_is_said_with_its_path(places):
    assert unavailable(f"file:{places / 'none.pth'}") == ("file_missing", str(places / "none.pth"))
    assert unavailable(f"file:{places}")[0] == "file_missing"


@pytest.mark.parametrize("source", ["imagenett", "", "file:", "FORMULA"])
def test_unknown_sources_are_refused(source):
    with pytest.raises(UnknownWeights):
        choose(source)


def test_file_that_changes_after_the_choice_is_refused(places, state):
    path = places / "w.safetensors"
    save_file(state, path)
    choice = choose(f"file:{path}", backbone="efficientnet_b0")
    save_file({**state, "classifier.bias": torch.ones(1000)}, path)
    with pytest.raises(WeightsUnavailable, match="has changed"):
        load_state(choice, "timm")


def test_card_beside_a_file_sets_its_normalisation_and_names(places, state):
    path = places / "w.safetensors"
    save_file({**state, "classifier.weight": torch.zeros(2, 1280), "classifier.bias": torch.zeros(2)}, path)
    card = {"format": locate.CARD_FORMAT, "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2],
            "image_px": 160, "classes": ["a", "b"]}  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    choice = choose(f"file:{path}", backbone="efficientnet_b0")
    assert (choice.mean, choice.std, choice.image_px) == ((0.5,) * 3, (0.2,) * 3, 160)
    assert class_names(choice) == ["a", "b"]
    path.with_suffix(".json").write_text(json.dumps({"mean": "somebody else's"}), encoding="utf-8")
    assert choose(f"file:{path}", backbone="efficientnet_b0").mean == (0.485, 0.456, 0.406)


# --- formula, faces, random


def test_formula_is_shipped_sound_and_says_what_it_learned():
    choice = choose("formula")
    card = locate.read_card(locate.FORMULA)
    assert choice.sha256 == card["sha256"] and choice.is_pretrained
    assert choice.mean == (0.485, 0.456, 0.406) and choice.image_px == card["image_px"]
    names = class_names(choice)
    assert len(names) == len(set(names)) == choice.num_classes == sum(card["families"].values())
    assert load_state(choice, "torchvision")["classifier.1.weight"].shape == (choice.num_classes, 1280)


def test_altered_formula_file_is_refused(places, monkeypatch):
    copy = places / "formula_b0.safetensors"
    content = bytearray(locate.FORMULA.read_bytes())
    content[-1] ^= 1
    copy.write_bytes(content)
    copy.with_suffix(".json").write_bytes(locate.FORMULA.with_suffix(".json").read_bytes())
    monkeypatch.setattr(locate, "FORMULA", copy)
    assert unavailable("formula")[0] == "file_damaged"


def test_faces_must_be_put_there_by_the_person_and_are_then_used(places, state):
    reason, detail = unavailable("vggface2")
    wanted = locate.vggface2_paths()[1]
    assert reason == "user_download" and detail == str(wanted.with_suffix(".safetensors"))
    wanted.parent.mkdir(parents=True)
    eight = {**state, "classifier.weight": torch.zeros(8, 1280), "classifier.bias": torch.zeros(8)}
    torch.save(eight, wanted)
    choice = choose("vggface2")
    assert choice.path == wanted and choice.num_classes == 8 and choice.is_pretrained


def test_random_is_not_called_pretrained():
    choice = choose("random")
    assert not choice.is_pretrained and choice.path is None and not choice.has_head
    assert "from scratch" in choice.label
    with pytest.raises(WeightsUnavailable):
        load_state(choice, "timm")


# --- records, names, availability


def test_choice_survives_json():
    for source in ("imagenet-lite0", "formula", "random"):
        choice = choose(source)
        assert WeightsRecord.from_dict(json.loads(json.dumps(choice.to_dict()))) == choice


def test_every_why_and_label_is_said_in_both_languages():
    whys = {"asked", "auto_cached", "auto_downloaded", "auto_mismatch", "auto_failed"}
    whys |= {f"auto_{reason}" for reason in sources._AUTO_WHY}
    for language in LANGUAGES:
        said = catalogue(language)
        assert whys == {key.removeprefix("why.") for key in said if key.startswith("why.")}
        assert all(f"source.{source}" in said for source in (*sources.SOURCES, "file"))


def test_imagenet_names_are_in_the_order_of_the_outputs(good, monkeypatch):
    with serve(good) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        names = class_names(choose("imagenet", limits=PATIENT))
    assert len(names) == 1000
    assert "tench" in names[0] and "goldfish" in names[1] and "toilet" in names[999]


def test_availability_says_what_is_here_and_asks_the_network_only_when_told(good, monkeypatch):
    with serve(good) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.hub)
        monkeypatch.setenv("HEADSWAP_TORCHVISION_URL", f"{server.storage}/plain")
        found = {status.source: status for status in availability()}
        assert tuple(found) == sources.SOURCES and not server.asked
        assert found["imagenet"].reason == found["imagenet-torchvision"].reason == "not_cached"
        assert found["vggface2"].reason == "user_download"
        assert found["formula"].is_usable and found["random"].is_usable
        found = {s.source: s for s in availability(check_network=True, wait_seconds=30)}
        assert found["imagenet"].is_usable and found["imagenet"].reason == "will_download"
        assert found["imagenet-torchvision"].is_usable
        assert sources.automatic(list(found.values())) == found["imagenet"]
        server.behaviour = "silent"
        found = {s.source: s for s in availability(check_network=True, wait_seconds=0.5)}
        assert sources.automatic(list(found.values())) == found["imagenet-lite0"]
        assert not found["imagenet"].is_usable and found["imagenet"].reason == "hub_slow"
        server.behaviour = "good"
        path = choose("imagenet", limits=PATIENT).path
    found = {status.source: status for status in availability()}
    assert found["imagenet"] == sources.SourceStatus("imagenet", True, None, str(path))
    assert sources.automatic(list(found.values())) == found["imagenet"]


def test_availability_imports_neither_torch_nor_timm():
    code = (
        "import sys; from tl_core.models.weights.sources import availability; availability();"
        "sys.exit(any(m in sys.modules for m in ('torch', 'timm', 'torchvision')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_weights_of_a_record_are_called_after_its_own_network(language):
    resnet = locate.recorded_name({"source": "imagenet", "backbone": "resnet18"}, language)
    assert "resnet18.a1_in1k" in resnet and "efficientnet" not in resnet
    before_there_was_a_choice = locate.recorded_name({"source": "imagenet"}, language)
    assert "efficientnet_b0.ra_in1k" in before_there_was_a_choice
