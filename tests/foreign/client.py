"""grpcio against the real binary: file, retry, conflict, refusal, watch, clock, feed, reflection."""

import subprocess
import sys
import tempfile
import uuid

import grpc
from google.rpc import error_details_pb2
from google.type import date_pb2  # noqa: F401  (ours, same full name)
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

from pratica.admin.v1 import admin_service_pb2 as admin
from pratica.admin.v1 import admin_service_pb2_grpc as admin_grpc
from pratica.cases.v1 import cases_service_pb2 as cases
from pratica.cases.v1 import cases_service_pb2_grpc as cases_grpc
from pratica.common.v1 import types_pb2 as common
from pratica.feed.v1 import feed_service_pb2 as feed
from pratica.feed.v1 import feed_service_pb2_grpc as feed_grpc
from pratica.residency.v1 import residency_service_pb2 as residency
from pratica.residency.v1 import residency_service_pb2_grpc as residency_grpc

COMUNE = "collina"


def refused(call, code, reason):
    """The call must be refused with this code and reason; answers the ErrorInfo's metadata."""
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        for detail in rpc_status.from_call(error).details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                assert info.reason == reason, info.reason
                return dict(info.metadata)
        raise AssertionError("no ErrorInfo in the answer")
    raise AssertionError(f"{reason} was expected and nothing was refused")


def declaration():
    person = {"given_name": "Anna", "family_name": "Rossi"}
    member = {"person": person, "signed": True, "identity_copy": True, "origin": "Valle"}
    form = {
        "ministry_form": True,
        "address": {"street": "Via dei Colli 7", "municipality": "Collina"},
        "title": residency.OCCUPATION_TITLE_OWNER,
        "members": [member],
    }
    return residency.FileDeclarationRequest(
        comune=COMUNE,
        request_id=str(uuid.uuid4()),
        kind=residency.RESIDENCY_KIND_CHANGE_OF_DWELLING,
        channel=common.CHANNEL_COUNTER,
        form=form,
    )


def main(binary):
    with tempfile.TemporaryDirectory() as data:
        server = subprocess.Popen(
            [binary, "serve", "--own-tokens", "--master-key", "demo", "--data", data, "--comune", COMUNE, "--listen", "127.0.0.1:0",
             "--manual-clock", "2026-03-02T09:00:00Z"],
            stdout=subprocess.PIPE, text=True,
        )
        try:
            address = server.stdout.readline().strip()
            talk(address, lambda role, *more: token(binary, data, role, *more))
        finally:
            server.terminate()
            assert server.wait(timeout=30) == 0, "the server must stop cleanly"


def token(binary, data, role, *more):
    made = subprocess.run(
        [binary, "token", "--data", data, "--role", role, *more],
        check=True, capture_output=True, text=True,
    )
    return (("authorization", f"Bearer {made.stdout.strip()}"),)


def talk(address, token_of):
    officer = token_of("officer", "--account", "anna", "--office", "anagrafe")
    channel = grpc.insecure_channel(address)
    checked = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert checked.status == health_pb2.HealthCheckResponse.SERVING
    services = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert "pratica.residency.v1.ResidencyService" in services, services

    commands = residency_grpc.ResidencyServiceStub(channel)
    queries = cases_grpc.CasesServiceStub(channel)
    request = declaration()
    no_token = lambda: commands.FileDeclaration(request)
    try:
        no_token()
        raise AssertionError("a call without a token was answered")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAUTHENTICATED

    filed = commands.FileDeclaration(request, metadata=officer).outcome
    assert filed.receipt.number.text == "0000001/2026", filed
    again = commands.FileDeclaration(request, metadata=officer).outcome
    assert again.replayed and again.case_id == filed.case_id
    assert again.receipt.number.text == filed.receipt.number.text

    head = dict(comune=COMUNE, case_id=filed.case_id)
    register = residency.RegisterDeclarationRequest(
        **head, request_id=str(uuid.uuid4()), etag=filed.etag)
    registered = commands.RegisterDeclaration(register, metadata=officer).outcome
    assert registered.phase == "under_check"

    stale = residency.ConfirmResidencyRequest(
        **head, request_id=str(uuid.uuid4()), etag=filed.etag)
    told = refused(lambda: commands.ConfirmResidency(stale, metadata=officer),
                   grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert told["event_type"] == "residency.registered", told

    restore = residency.RestorePositionRequest(
        **head, request_id=str(uuid.uuid4()), etag=registered.etag, reasons="nobody there",
        appeal=common.Appeal(authority="Prefect", term_days=30))
    told = refused(lambda: commands.RestorePosition(restore, metadata=officer),
                   grpc.StatusCode.FAILED_PRECONDITION, "NOTICE_REQUIRED")
    assert "10-bis" in told["article"], told

    watching = queries.WatchCase(cases.WatchCaseRequest(**head), metadata=officer)
    assert next(watching).case.summary.phase == "under_check"
    assert next(watching).caught_up

    clock = admin_grpc.AdminServiceStub(channel)
    moved = admin.AdvanceClockRequest()
    moved.to_time.FromJsonString("2026-05-01T09:00:00Z")
    expired = clock.AdvanceClock(moved, metadata=token_of("administrator")).expired_terms
    assert expired == 1, expired
    assert next(watching).case.summary.phase == "confirmed_by_silence"
    watching.cancel()

    service = token_of("service", "--account", "documentale")
    seen = []
    for message in feed_grpc.FeedServiceStub(channel).FollowFeed(
            feed.FollowFeedRequest(comune=COMUNE), metadata=service):
        if message.WhichOneof("content") == "caught_up":
            break
        seen.append(message.event.type)
    assert seen[0] == "case.opened" and "residency.silence_attested" in seen, seen
    print(f"grpcio {grpc.__version__}: {len(seen)} public events, every answer as expected")


if __name__ == "__main__":
    main(sys.argv[1])
