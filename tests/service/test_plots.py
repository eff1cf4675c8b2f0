import math
import time

import pytest

from agrocredit.domain.plot import VERTICES_MAX

from .conftest import SIDE_DEG, problem, somewhere, square

AT = (114.5, 34.5)
BODY = {"farmer_id": "F1", "crop": "winter_wheat", "season": "2024"}


def ring(*points):
    return {"type": "Polygon", "coordinates": [[list(point) for point in points]]}


def register(service, geometry=None, **fields):
    body = {**BODY, **fields}
    if "track" not in fields:
        body["geometry"] = geometry if geometry is not None else somewhere()
    return service.post("/v1/plots", body)


def circle(count, *, radius_deg=0.001):
    turns = [2 * math.pi * at / count for at in range(count)]
    points = [(AT[0] + radius_deg * math.cos(t), AT[1] + radius_deg * math.sin(t)) for t in turns]
    return ring(*points, points[0])


def test_a_plot_is_read_back_as_it_was_drawn(service):
    made = register(service, tenure_share=0.5, declared_area_m2=10_000.5, region_id="north").json()
    assert made["area_m2"] == pytest.approx(111_000 * SIDE_DEG * 91_500 * SIDE_DEG, rel=0.01)
    assert made["holders"] == [{"farmer_id": "F1", "season": "2024", "tenure_share": 0.5, "grade": "C"}]
    assert (made["determination"], made["region_id"]) == ("drawn", "north")
    assert service.get(f"/v1/plots/{made['id']}").json() == made
    assert service.get(f"/v1/plots/{made['id']}/observations").json() == {"plot_id": made["id"], "observations": []}
    assert service.get(f"/v1/plots/{made['id']}/estimate").json() == {"plot_id": made["id"], "estimates": []}


def test_direction_start_and_repeated_points_change_nothing(service):
    corners = [(114.5, 34.5), (114.501, 34.5), (114.501, 34.501), (114.5, 34.501)]
    one = register(service, ring(*corners, corners[0])).json()
    other_way = [*corners[2::-1], corners[3]]
    other = register(service, ring(*other_way, other_way[0], other_way[0])).json()
    assert (one["geometry_sha256"], one["area_m2"]) == (other["geometry_sha256"], other["area_m2"])


BAD_GEOMETRIES = {
    "a bow tie": (ring((0, 0), (0.001, 0.001), (0.001, 0), (0, 0.001), (0, 0)), "geometry_invalid"),
    "a ring walked twice": (
        ring(*[(0, 0), (0.001, 0), (0.001, 0.001), (0, 0.001)] * 2, (0, 0)),
        "geometry_invalid",
    ),
    "a spike": (
        ring((0, 0), (0.001, 0), (0.001, 0.001), (0.001, 0.009), (0.001, 0.001), (0, 0.001), (0, 0)),
        "geometry_invalid",
    ),
    "a hole outside": (
        {"type": "Polygon", "coordinates": [square(0, 0)["coordinates"][0], square(1, 1)["coordinates"][0]]},
        "geometry_invalid",
    ),
    "not closed": (ring((0, 0), (0.001, 0), (0.001, 0.001), (0, 0.001)), "geometry_invalid"),
    "three points": (ring((0, 0), (0.001, 0), (0, 0)), "geometry_invalid"),
    "a line": ({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "geometry_invalid"),
    "no area": (ring((0, 0), (0.001, 0.001), (0.002, 0.002), (0, 0)), "geometry_invalid"),
    "text for numbers": (ring(("0", "0"), ("0.001", "0"), ("0.001", "0.001"), ("0", "0")), "coordinate_invalid"),
    "a pair too short": (ring((0,), (0.001, 0), (0.001, 0.001), (0, 0)), "coordinate_invalid"),
    "four dimensions": (ring((0, 0, 0, 0), (0.001, 0, 0, 0), (0.001, 0.001, 0, 0), (0, 0, 0, 0)), "coordinate_invalid"),
    "1e308": (ring((0, 0), (1e308, 0), (1e308, 1), (0, 0)), "coordinate_invalid"),
    "true": (ring((True, 0), (0.001, 0), (0.001, 0.001), (True, 0)), "coordinate_invalid"),
    "empty": ({"type": "Polygon", "coordinates": []}, "coordinate_invalid"),
    "nothing": ({}, "geometry_invalid"),
    "swapped": (ring((34.5, 114.5), (34.501, 114.5), (34.501, 114.501), (34.5, 114.5)), "axis_order_suspected"),
    "metres": (
        ring((500_000, 3_800_000), (500_100, 3_800_000), (500_100, 3_800_100), (500_000, 3_800_000)),
        "crs_unsupported",
    ),
    "another CRS": ({**square(*AT), "crs": {"type": "name", "properties": {"name": "EPSG:3857"}}}, "crs_unsupported"),
    "over the antimeridian": (
        ring((-179.9995, 0), (179.9995, 0), (179.9995, 0.001), (-179.9995, 0.001), (-179.9995, 0)),
        "geometry_unsupported",
    ),
    "over a pole": (ring((120, 89.999), (120.5, 89.999), (120.5, 90.001), (120, 89.999)), "geometry_unsupported"),
    "too many vertices": (circle(VERTICES_MAX + 1), "geometry_too_complex"),
    "too small": (square(*AT, 0.00005), "plot_too_small"),
    "larger than any farm": (square(*AT, 0.1), "plot_too_large"),
    "a strip": (ring((0, 0), (0.05, 0), (0.05, 0.000005), (0, 0.000005), (0, 0)), "plot_too_narrow"),
}


@pytest.mark.parametrize(("geometry", "code"), BAD_GEOMETRIES.values(), ids=BAD_GEOMETRIES.keys())
def test_what_cannot_be_a_field_is_refused_and_never_repaired(guarded, geometry, code):
    begun_s = time.perf_counter()
    body = problem(register(guarded, geometry), 422, code)
    assert body["field"].startswith("/geometry")
    assert time.perf_counter() - begun_s < 2


def test_a_crossing_ring_is_refused_with_the_point(guarded):
    body = problem(register(guarded, BAD_GEOMETRIES["a bow tie"][0]), 422, "geometry_invalid")
    assert "longitude 0.0005, latitude 0.0005" in body["detail"]


def test_a_walk_around_a_field_is_a_plot(service):
    corners = [[114.5, 34.5], [114.501, 34.5], [114.501, 34.501], [114.5, 34.501]]
    made = register(service, track=[*corners, [114.5001, 34.5001]]).json()
    assert made["determination"] == "walked"
    assert made["area_m2"] == pytest.approx(9_680, rel=0.01)


def test_a_walk_that_does_not_come_back_is_no_plot(guarded):
    track = [[114.5, 34.5], [114.501, 34.5], [114.501, 34.501]]
    body = problem(register(guarded, track=track), 422, "geometry_invalid")
    assert "m from where it began" in body["detail"]
    assert body["field"] == "/track"


@pytest.mark.parametrize(
    "track", [[], [[1]], ["x", "y"], [[0, "a"], [1, 1]], [[0, 0]], [None, None], [[200, 95], [3, 4], [5, 6]]]
)
def test_a_walk_of_nonsense_is_refused(guarded, track):
    answer = register(guarded, track=track)
    assert answer.status_code == 422
    assert answer.json()["code"] in {
        "coordinate_invalid",
        "geometry_invalid",
        "crs_unsupported",
        "axis_order_suspected",
    }


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"limit": 5}, "field_not_allowed", "/limit"),
        ({"tenant_id": "rival"}, "field_not_allowed", "/tenant_id"),
        ({"score": 1, "crop": 5}, "field_not_allowed", "/score"),
        ({"season": 2024}, "field_invalid", "/season"),
        ({"season": "2024; DROP TABLE plots"}, "field_invalid", "/season"),
        ({"crop": "unobtainium"}, "crop_unknown", "/crop"),
        ({"farmer_id": "../../etc"}, "field_invalid", "/farmer_id"),
        ({"farmer_id": ""}, "field_invalid", "/farmer_id"),
        ({"tenure_share": 0}, "tenure_share_invalid", "/tenure_share"),
        ({"tenure_share": 1.01}, "tenure_share_invalid", "/tenure_share"),
        ({"tenure_share": "1"}, "tenure_share_invalid", "/tenure_share"),
        ({"tenure_share": True}, "tenure_share_invalid", "/tenure_share"),
        ({"declared_area_m2": -1}, "declared_area_invalid", "/declared_area_m2"),
        ({"declared_area_m2": 10**400}, "declared_area_invalid", "/declared_area_m2"),
        ({"geometry": None}, "field_missing", "/geometry"),
        ({"track": [[0, 0]]}, "field_missing", "/geometry"),
    ],
)
def test_a_field_that_is_wrong_is_named(guarded, fields, code, field):
    answer = guarded.post("/v1/plots", {**BODY, "geometry": somewhere(), **fields})
    assert problem(answer, 422, code)["field"] == field


def test_a_body_that_is_no_object_is_refused(guarded):
    for body in (b"[]", b'"x"', b"5", b"null"):
        headers = {"Content-Type": "application/json"}
        assert guarded.call("POST", "/v1/plots", content=body, headers=headers).status_code == 422


def test_a_missing_field_is_named(guarded):
    answer = guarded.post("/v1/plots", {"farmer_id": "F1", "geometry": somewhere()})
    assert problem(answer, 422, "field_missing")["field"] == "/crop"


def test_land_pledged_to_anyone_is_refused_without_saying_to_whom(service):
    here = somewhere()
    service.loan(tenant="rival", farmer_id="R1", geometry=here)
    body = problem(register(service, here), 409, "plot_already_pledged")
    assert "rival" not in str(body)
    assert "R1" not in str(body)


def west_part(geometry, share):
    (west, south), (east, _), (_, north) = geometry["coordinates"][0][:3]
    at = west + (east - west) * share
    return ring((west, south), (at, south), (at, north), (west, north), (west, south))


@pytest.mark.parametrize(("share", "status"), [(0.04, 201), (0.06, 409)])
def test_a_little_overlap_is_let_through_and_more_is_not(service, share, status):
    lon, lat = somewhere()["coordinates"][0][0]
    service.loan(tenant="rival", farmer_id="R1", geometry=square(lon, lat))
    assert register(service, square(lon + SIDE_DEG * (1 - share), lat)).status_code == status


def test_slivers_of_several_pledged_plots_add_up(service):
    lon, lat = somewhere()["coordinates"][0][0]
    for at, name in enumerate(("R1", "R2")):
        away = (1 - 0.04) * SIDE_DEG * (1 if at else -1)
        service.loan(tenant="rival", farmer_id=name, geometry=square(lon + away, lat))
    problem(register(service, square(lon, lat)), 409, "plot_already_pledged")


def test_a_plot_drawn_around_a_pledged_one_is_refused_however_large_it_is(service):
    lon, lat = somewhere()["coordinates"][0][0]
    service.loan(tenant="rival", farmer_id="R1", geometry=square(lon, lat))
    around = square(lon - 5 * SIDE_DEG, lat - 5 * SIDE_DEG, 12 * SIDE_DEG)
    problem(register(service, around), 409, "plot_already_pledged")


def test_land_that_was_released_can_be_drawn_again(service):
    here = somewhere()
    loan = service.loan(tenant="rival", farmer_id="R1", geometry=here)
    problem(register(service, here), 409, "plot_already_pledged")
    with service.database.write("rival") as session:
        from agrocredit.store.sql.pledge_queries import release_pledges

        release_pledges(session, loan["farmer_id"], season=None, at=service.platform.now())
    assert register(service, here).status_code == 201


def test_a_farmer_sees_their_own_plots_only(service):
    mine, other = service.plot(farmer_id="F1"), service.plot(farmer_id="F2")
    assert service.get(f"/v1/plots/{mine}", role="farmer", farmer_id="F1").status_code == 200
    unknown = service.get("/v1/plots/plot_none", role="farmer", farmer_id="F1")
    foreign = service.get(f"/v1/plots/{other}", role="farmer", farmer_id="F1")
    assert problem(foreign, 404, "not_found")["detail"] == problem(unknown, 404, "not_found")["detail"]


def test_a_farmer_registers_no_plot_for_another(guarded):
    answer = guarded.post("/v1/plots", {**BODY, "geometry": somewhere()}, role="farmer", farmer_id="F2")
    problem(answer, 404, "not_found")
