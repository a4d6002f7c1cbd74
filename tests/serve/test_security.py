"""What a stranger tries, and what comes of it: each is refused, and said so."""

import base64
import io
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.serve.service import Service, wanted
from text2art_nb.serve.app import create_app
from text2art_nb.serve.config import Config, hashed
from text2art_nb.serve.requests import JobRequest
from text2art_nb.settings.presets import EMBEDDED_EYES

KEY = "a-key-that-is-long-enough"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that lets in who has the key."""
    config = Config(data=tmp_path_factory.mktemp("locked"), keys=KEY)
    with TestClient(create_app(config, page=False), follow_redirects=False) as client:
        yield client


def refused(service: Service, change: dict[str, Any], field: str) -> str:
    """The sentence with which a job is refused for one of its fields."""
    answer = service.client.post("/api/jobs", json=wanted(**change))
    assert answer.status_code == 422, answer.text
    return str(answer.json()["fields"][field])


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb() -> bytes:
    """A PNG of 30,000 x 30,000 pixels in some kilobytes."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100_000)) + chunk(b"IEND", b"")


def test_another_programs_odd_cookie_keeps_nobody_out(locked: TestClient) -> None:
    answer = locked.get("/api/gallery", headers={"Cookie": f'odd={{"a": [1, 2]}}; text2art_key={KEY}; x y=1'})
    assert answer.status_code == 200


def test_a_query_of_many_fields_is_asked_for_the_key(locked: TestClient) -> None:
    assert locked.get("/?" + "&".join(f"a{number}=1" for number in range(1000))).status_code == 401


def test_settings_that_are_nested_without_end_are_refused(locked: TestClient) -> None:
    nested = json.dumps(wanted(settings={"losses": "X"})).replace('"X"', "[" * 400 + "]" * 400)
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    answer = locked.post("/api/jobs", content=nested, headers=headers)
    assert answer.status_code == 422
    assert "nested" in answer.json()["fields"]["settings"]


@pytest.mark.parametrize("change", [{"prompt": "a\0b"}, {"prompt": "", "settings": {"prompts": "a\0b"}}])
def test_a_prompt_that_no_database_keeps_is_refused(locked: TestClient, change: dict[str, Any]) -> None:
    answer = locked.post("/api/jobs", json=wanted(**change), headers={"X-API-Key": KEY})
    assert answer.status_code == 422
    assert "NUL" in answer.json()["fields"]["prompt"]


@pytest.mark.parametrize("id", ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%00b", "a/../../x", "x" * 65])
@pytest.mark.parametrize("what", ["image", "video", "frame"])
def test_no_name_of_a_job_leads_out_of_the_folder(service: Service, id: str, what: str) -> None:
    answer = service.client.get(f"/api/jobs/{id}/{what}")
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("field", ["init_image", "style_image", "overlay_image", "content_image"])
@pytest.mark.parametrize(
    "value", ["/etc/passwd", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data", "https://example.org/a"]
)
def test_no_picture_is_fetched_or_read_from_a_file(service: Service, field: str, value: str) -> None:
    assert "not opened" in refused(service, {"settings": {field: value}}, field)


@pytest.mark.parametrize("entry", ["/etc/passwd", "http://127.0.0.1:1/x.png:0.5", "a|/etc/passwd"])
def test_no_list_of_pictures_hides_a_file_or_an_address(service: Service, entry: str) -> None:
    assert "not opened" in refused(service, {"settings": {"image_prompts": [entry]}}, "image_prompts")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"palette": "@/etc/passwd"}, "palette"),
        ({"palette": "http://127.0.0.1/p.gpl"}, "palette"),
        ({"model": "/etc"}, "model"),
        ({"model": "imagenet_f16_16384"}, "model"),
        ({"perceptors": ["ViT-B/32"]}, "perceptors"),
        ({"drawer": "turbo"}, "drawer"),
        ({"drawer": "generator", "model": "/tmp/evil.pt"}, "model"),
        ({"allow_urls": True}, "allow_urls"),
        ({"device": "cuda:7"}, "device"),
        ({"engine": "pixray"}, "engine"),
        ({"steering": [{"iteration": 1, "iterations": 10**6}]}, "steering"),
        ({"size": "8192x8192"}, "size"),
        ({"candidates": 64, "num_cuts": 1024}, "num_cuts"),
        ({"upscaler": "swin2sr", "upscale": 2}, "upscaler"),
    ],
)
def test_what_is_the_operators_is_not_for_visitors_to_set(service: Service, change: dict[str, Any], field: str) -> None:
    given = {**wanted()["settings"], **change}
    if "candidates" in change:
        given["iterations"] = 100
    refused(service, {"settings": given} | ({"type": "image"} if "drawer" in change else {}), field)


@pytest.mark.parametrize("eye", EMBEDDED_EYES)
def test_each_eye_of_the_package_is_to_be_had_alone(eye: str) -> None:
    asked = JobRequest(**wanted(settings={"perceptors": [eye]}))
    assert asked.to_settings(models=("embedded",)).perceptors == (eye,)


def test_a_decompression_bomb_is_refused_by_its_header(service: Service) -> None:
    data = base64.b64encode(bomb()).decode()
    assert "at most 80 million pixels" in refused(service, {"init_image": data}, "init_image")


def test_a_picture_is_taken_as_base64_or_data_uri_and_nothing_but_its_pixels_is_kept(service: Service) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "JPEG", comment=b"where I live")
    data = base64.b64encode(file.getvalue()).decode()
    for given in (data, f"data:image/jpeg;base64,{data}"):
        image = JobRequest(**wanted(init_image=given)).to_settings().init_image
        assert image is not None
        assert b"where I live" not in base64.b64decode(image.partition(",")[2])


def test_an_oversize_upload_is_refused_whatever_its_header_says(service: Service) -> None:
    body = json.dumps(wanted(init_image="A" * 400_000)).encode()
    told = service.client.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
    silent = service.client.post("/api/jobs", content=iter([body]), headers={"Content-Type": "application/json"})
    for answer in (told, silent):
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


@pytest.mark.parametrize(
    "email",
    [
        "a@b.org\r\nBcc: all@example.org",
        "a@b.org, c@d.org",
        "Ada <a@b.org>",
        "a@b.org?subject=x",
        "a@@b.org",
        "a@b",
    ],
)
def test_no_address_brings_headers_or_others_with_it(service: Service, email: str) -> None:
    sentence = refused(service, {"email": email}, "email")
    assert "one plain address" in sentence
    assert email not in sentence


def test_an_address_is_in_no_answer_event_or_file(service: Service) -> None:
    id = service.draw(email="ada.lovelace@example.org", public=True)["id"]
    texts = [service.client.get(f"/api/jobs/{id}{path}").content for path in ("", "/events", "/image", "/video")]
    texts += [service.client.get(path).content for path in ("/api/gallery", "/api/metrics")]
    assert not any(b"lovelace" in text for text in texts)
    assert "lovelace" not in service.workers.said


def test_a_replayed_key_with_another_body_is_refused(service: Service) -> None:
    headers = {"Idempotency-Key": "replayed"}
    first = service.client.post("/api/jobs", json=wanted(), headers=headers)
    other = service.client.post("/api/jobs", json=wanted("a dragon"), headers=headers)
    assert (first.status_code, other.status_code) == (202, 409)
    assert other.json()["type"] == "urn:text2art:key-used"
    service.ended(first.json()["id"])


@pytest.mark.parametrize("header", [{}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}, {"Cookie": "a=b"}])
def test_without_the_right_key_nothing_is_to_be_had(locked: TestClient, header: dict[str, str]) -> None:
    for path in ("/api/gallery", "/api/metrics", "/docs", "/openapi.json", "/ui/"):
        assert locked.get(path, headers=header).status_code == 401
    assert locked.get("/api/health", headers=header).status_code == 200


@pytest.mark.parametrize("header", [{"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}])
def test_the_right_key_opens(locked: TestClient, header: dict[str, str]) -> None:
    assert locked.get("/api/gallery", headers=header).status_code == 200


def test_a_link_with_the_key_gives_the_browser_a_cookie_that_scripts_cant_read(locked: TestClient) -> None:
    answer = locked.get(f"/?key={KEY}")
    assert answer.status_code == 303
    assert KEY not in answer.headers["location"]
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert locked.get("/api/gallery").status_code == 200
    locked.cookies.clear()


def test_the_password_page_lets_in_who_knows_it(locked: TestClient) -> None:
    page = locked.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, 'type="password"' in page.text) == (401, True)
    assert locked.post("/login", data={"key": "wrong-but-long-enough"}).status_code == 401
    assert locked.post("/login", data={"key": KEY}).status_code == 303
    locked.cookies.clear()


def test_only_the_hash_of_a_key_is_kept(tmp_path: Path) -> None:
    config = Config(data=tmp_path, keys=(KEY, hashed(KEY)))
    assert KEY not in config.model_dump_json()
    assert config.keys[0] == config.keys[1]


def test_a_forwarded_address_is_believed_only_behind_a_proxy(tmp_path: Path) -> None:
    from text2art_nb.serve.access import visitor_of

    scope = {"headers": [(b"x-forwarded-for", b"6.6.6.6, 1.2.3.4")], "client": ("9.9.9.9", 1)}
    assert visitor_of(scope, None, proxies=0) == "address 9.9.9.9"
    assert visitor_of(scope, None, proxies=1) == "address 1.2.3.4"


def test_an_answer_is_never_taken_for_something_else(service: Service) -> None:
    answer = httpx.post(f"{service.url}/api/jobs", json=wanted("<script>alert(1)</script>", type="statue"))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/problem+json"
