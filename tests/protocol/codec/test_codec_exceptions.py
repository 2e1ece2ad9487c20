import builtins
import json
import pickle
import sys
from types import MappingProxyType

import google.auth.exceptions
import gspread
import pytest
import requests
from codec_samples import unhurried
from hostile import names_in_c
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from test_codec_responses import SECRET, make_response

from queued_gspread import errors
from queued_gspread.google_api.responses import OwnRequest
from queued_gspread.protocol import codec
from queued_gspread.protocol.codec.exception_classes import CLASSES, MODULES, name_of

ERROR = {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}


def found_in(module):
    return [
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, BaseException)
    ]


GROUPS = getattr(builtins, "ExceptionGroup", ())
ALL = {found for module in MODULES for found in found_in(module)}
ORDINARY = sorted((found for found in ALL if issubclass(found, Exception)), key=name_of)
# What has no instance without fields, or with other args than its constructor's.
WHOLE = (UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError)
BARE = [found for found in ORDINARY if not issubclass(found, (*WHOLE, GROUPS))]
OF_ANY_ARGS = [found for found in BARE if not issubclass(found, SyntaxError)]
FATAL = sorted((found for found in ALL if not issubclass(found, Exception)), key=name_of)


def there_and_back(exc, **kwargs):
    return codec.loads(codec.encode_exception(exc, **kwargs))


def http_error(cls):
    return cls("went wrong", response=make_response(), request=make_response().request)


# How the library that defines a class, or a base of it, makes an instance; nearest first.
MAKERS = {
    gspread.exceptions.APIError: lambda cls: cls(make_response(json.dumps(ERROR).encode(), 429)),
    UnicodeDecodeError: lambda cls: cls("utf-8", b"\xff", 0, 1, "invalid start byte"),
    UnicodeEncodeError: lambda cls: cls("ascii", "\xe9\ud800", 0, 1, "ordinal not in range"),
    UnicodeTranslateError: lambda cls: cls("\xe9", 0, 1, "no mapping"),
    json.JSONDecodeError: lambda cls: cls("Expecting value", "{]", 1),
    requests.RequestException: http_error,
    ImportError: lambda cls: cls("no module", name="spam", path="/spam.py"),
    SyntaxError: lambda cls: cls("invalid syntax", ("file.py", 1, 2, "a b", 1, 3)),
    GROUPS: lambda cls: cls("several", [ValueError(1)]),
    getattr(builtins, "BaseExceptionGroup", ()): lambda cls: cls("some", [KeyboardInterrupt()]),
    BaseException: lambda cls: cls("went wrong"),
}


def make(cls):
    return next(maker for base, maker in MAKERS.items() if issubclass(cls, base))(cls)


def raised(exc):
    """Return the exception with the traceback that it gets by being raised."""
    try:
        raise exc  # noqa: TRY301
    except Exception as caught:  # noqa: BLE001
        return caught


def comparable(exc):
    hidden = {"request", "response"}
    plain = {key: value for key, value in vars(exc).items() if key not in hidden}
    args = [repr(arg) for arg in exc.args]
    slots = {name: repr(getattr(exc, name, None)) for name in names_in_c(type(exc))}
    return type(exc), args, plain, slots, str(exc), repr(exc)


@pytest.mark.parametrize("cls", ORDINARY, ids=name_of)
def test_every_exception_of_the_registered_modules_arrives(cls):
    """Each exception class of the registered modules arrives with its class, args and state."""
    sent = make(cls)
    data = codec.encode_exception(sent)
    assert b"uthorization" not in data
    assert b"ya29" not in data
    assert comparable(codec.loads(data)) == comparable(sent)


@pytest.mark.parametrize("cls", BARE, ids=name_of)
def test_every_exception_without_state_arrives(cls):
    """An instance that no constructor ever saw arrives as the same class."""
    arrived = there_and_back(cls.__new__(cls))
    assert (type(arrived), arrived.args) == (cls, ())


@pytest.mark.parametrize("cls", FATAL, ids=name_of)
def test_what_ends_a_program_arrives_as_remote_error(cls):
    """KeyboardInterrupt, SystemExit and their like never end a client."""
    arrived = there_and_back(make(cls))
    assert type(arrived) is errors.RemoteError
    assert str(arrived).startswith(f"builtins.{cls.__name__}: ")


def test_the_registry_is_complete():
    """Every Exception class that the modules define or import is registered by its name."""
    assert set(ORDINARY) == set(CLASSES.values())
    assert all(name_of(found) == name for name, found in CLASSES.items())


class Custom(gspread.exceptions.APIError):
    pass


def test_an_unregistered_class_arrives_as_remote_error():
    """The text names the class and has its message; notes are kept."""
    sent = Custom(make_response(json.dumps(ERROR).encode(), 429))
    sent.__notes__ = ["while writing"]
    arrived = there_and_back(sent)
    assert type(arrived) is errors.RemoteError
    assert str(arrived) == "test_codec_exceptions.Custom: Custom: [429]: Quota exceeded"
    assert arrived.__notes__ == ["while writing"]


def test_an_impostor_is_not_the_registered_class():
    """A class that only has the name of a registered one does not become it."""
    impostor = type("ValueError", (Exception,), {"__module__": "builtins"})
    assert type(there_and_back(impostor("x"))) is errors.RemoteError


def test_a_class_that_is_unknown_here_arrives_as_remote_error():
    """A class that only the other side's version knows is named in the text."""
    data = codec.encode_exception(ValueError("x")).replace(b"builtins.Val", b"builtins.New")
    assert str(codec.loads(data)) == "builtins.NewueError: x"


@pytest.mark.parametrize("cls", [gspread.exceptions.APIError, errors.OutcomeUnknownError])
def test_api_errors_answer_as_before(cls):
    """An APIError keeps response, error, code and text, and can be pickled once decoded."""
    sent = make(cls)
    arrived = there_and_back(sent)
    for exc in (arrived, pickle.loads(pickle.dumps(arrived))):
        assert type(exc) is cls
        assert exc.response.json() == ERROR
        assert (exc.code, exc.error) == (429, ERROR["error"])
        assert (str(exc), repr(exc)) == (str(sent), repr(sent))


def test_no_request_travels_with_an_exception():
    """The request of an exception and of its response is None on the other side."""
    arrived = there_and_back(make(requests.HTTPError))
    assert arrived.request is None
    assert arrived.response.request is None
    assert arrived.response.status_code == 200


def test_the_callers_own_request_travels_with_an_exception():
    """The caller's own request arrives with each exception of requests, and with its response."""
    sent = make(requests.ConnectionError)
    sent.request = sent.response.request = OwnRequest("post", "https://x.example/a", {"b": 1})
    arrived = there_and_back(sent)
    for request in (arrived.request, arrived.response.request):
        assert (request.method, request.url) == ("POST", "https://x.example/a?b=1")


def leaking():
    """Exceptions with an access token in every place where one was thought of."""
    headers = {"Authorization": SECRET, "proxy-authorization": SECRET, "Cookie": SECRET}
    request = make_response().request
    chained = ValueError(f"header {SECRET}")
    chained.__cause__ = requests.exceptions.InvalidHeader(
        f"bad header value: {SECRET!r}", request=request
    )
    attributes = RuntimeError("x")
    attributes.request = attributes._request = request
    attributes.headers = CaseInsensitiveDict(headers)
    attributes.deep = {"a": [MappingProxyType(headers), (headers,)], "b": object()}
    yield chained
    yield attributes
    yield RuntimeError(request, headers, [request.headers], {"headers": request.headers})
    yield type("Unregistered", (Exception,), {})(SECRET)
    yield type("Odd", (Exception,), {"__repr__": lambda _: SECRET, "__str__": None})()
    yield ValueError(type("Session", (), {"__repr__": lambda _: f"<{SECRET}>"})())
    yield requests.ConnectionError(google.auth.exceptions.TransportError(SECRET), request=request)


@pytest.mark.parametrize("sent", list(leaking()), ids=lambda exc: type(exc).__name__)
@pytest.mark.parametrize("with_traceback", [True, False])
def test_no_authorization_in_the_bytes(sent, with_traceback):
    """Neither a header nor a token is in the bytes, whatever part of the exception held it."""
    data = codec.encode_exception(raised(sent), with_traceback=with_traceback)
    assert b"very-secret" not in data
    assert b'"Authorization"' not in data


def test_the_traceback_arrives_as_a_note():
    """The traceback, as Python prints it, is the last note; it can be left out."""
    exc = raised(ValueError("x"))
    exc.__notes__ = ["first"]
    with_it, without = there_and_back(exc), there_and_back(exc, with_traceback=False)
    inside = codec.loads(codec.dumps({"error": codec.Raised(exc)}))["error"]
    assert with_it.__notes__[0] == "first"
    assert with_it.__notes__[1].startswith("On the server:\nTraceback (most recent call last):")
    assert "in raised\n    raise exc" in with_it.__notes__[1]
    assert without.__notes__ == ["first"]
    assert inside.__notes__ == with_it.__notes__


def test_an_exception_that_was_never_raised_has_no_notes():
    """Without a traceback there is nothing to note."""
    assert not hasattr(there_and_back(ValueError("x")), "__notes__")


def test_causes_arrive():
    """The chain of causes arrives, and the context of a cause is suppressed."""
    sent = ValueError("top")
    sent.__cause__ = KeyError("middle")
    sent.__cause__.__cause__ = OSError(2, "bottom")
    arrived = there_and_back(sent)
    assert repr(arrived.__cause__) == "KeyError('middle')"
    assert type(arrived.__cause__.__cause__) is FileNotFoundError
    assert arrived.__suppress_context__


def test_a_fatal_cause_is_a_remote_error():
    """A cause that would end a program arrives as RemoteError."""
    sent = ValueError("top")
    sent.__cause__ = KeyboardInterrupt()
    assert type(there_and_back(sent).__cause__) is errors.RemoteError


def test_endless_causes_end():
    """A cycle of causes, and a chain longer than anybody reads, are cut."""
    first, second = ValueError(1), ValueError(2)
    first.__cause__, second.__cause__ = second, first
    assert there_and_back(first).__cause__.__cause__ is None
    chain = ValueError("x")
    for _ in range(5000):
        chain, chain.__cause__ = ValueError("x"), chain
    assert there_and_back(chain).__cause__.__cause__ is not None


def test_nested_exceptions_arrive_as_exceptions():
    """An exception among the args is an exception on the other side."""
    inner = requests.ConnectionError("refused", request=make_response().request)
    arrived = there_and_back(google.auth.exceptions.TransportError(inner, [OSError(2, "x")]))
    assert type(arrived.args[0]) is requests.ConnectionError
    assert type(arrived.args[1][0]) is FileNotFoundError


def test_an_exception_among_its_own_args_arrives():
    """Exceptions that hold themselves or each other, many times, still arrive."""
    own = ValueError()
    own.args = (own, own, [own])
    assert type(there_and_back(own)) is ValueError
    shared = ValueError("x")
    for _ in range(50):
        shared = ValueError(shared, shared)
    assert len(codec.encode_exception(shared)) < 100_000


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no groups yet")
def test_a_group_keeps_its_members():
    """An ExceptionGroup arrives with message and members, also where its args were changed."""
    group = make(CLASSES["builtins.ExceptionGroup"])
    nested = type(group)("outer", [group, Custom(make_response())])
    nested.args = ()
    arrived = there_and_back(nested)
    assert (arrived.message, len(arrived.exceptions)) == ("outer", 2)
    assert [type(exc) for exc in arrived.exceptions[0].exceptions] == [ValueError]
    assert type(arrived.exceptions[1]) is errors.RemoteError


def test_an_os_error_keeps_errno_and_both_filenames():
    """What OSError keeps outside its args arrives, and its text is the same."""
    sent = OSError(18, "Invalid cross-device link", "/a", None, "/b")
    arrived = there_and_back(sent)
    assert (arrived.errno, arrived.filename, arrived.filename2) == (18, "/a", "/b")
    assert str(arrived) == str(sent)


def test_the_object_of_an_attribute_error_stays():
    """The name of a missing attribute arrives, the object that missed it does not."""
    sent = AttributeError("no such thing", name="spam", obj={"secret": 1})
    data = codec.encode_exception(sent)
    assert b"secret" not in data
    assert codec.loads(data).name == "spam"


def test_what_cannot_travel_arrives_as_its_repr():
    """An arg or attribute that is no value arrives as its repr, its neighbours as they are."""
    sent = ValueError("text", object, [1, {"a": object, "b": (2, object)}])
    sent.attribute = {"k": object, object: 1}
    arrived = there_and_back(sent)
    text = repr(object)
    assert arrived.args == ("text", text, [1, {"a": text, "b": (2, text)}])
    assert arrived.attribute == {"k": text, text: 1}


class Hostile:
    def __repr__(self):
        raise RuntimeError("no repr")


def circular():
    items = []
    items.append(items)
    return items


def deep(levels=5000):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [Hostile(), {"k": Hostile()}, circular(), deep(), 10**5000, float("nan"), (x for x in ())],
    ids=lambda value: type(value).__name__,
)
def test_an_exception_always_arrives(value):
    """Whatever an exception holds, it can be encoded, and arrives as its class."""
    sent = ValueError("x", value)
    sent.attribute = value
    arrived = there_and_back(sent)
    assert type(arrived) is ValueError
    assert arrived.args[0] == "x"


def test_an_attribute_with_the_reserved_name_does_no_harm():
    """An attribute that is named like the reserved key does not break the message."""
    sent = ValueError("x")
    vars(sent)["~"] = 1
    assert there_and_back(sent).args == ("x",)


def test_gspread_objects_in_an_exception_arrive_as_text():
    """A worksheet among the args does not need Objects on the other side."""
    worksheet = object.__new__(gspread.Worksheet)
    worksheet._properties = {"sheetId": 1, "title": "T"}
    assert there_and_back(ValueError(worksheet)).args == ("<Worksheet 'T' id:1>",)


def test_decoding_runs_no_constructor(monkeypatch):
    """The classes' own constructors are not called when an exception is decoded."""
    data = codec.encode_exception(make(gspread.exceptions.APIError))
    monkeypatch.setattr(gspread.exceptions.APIError, "__init__", None)
    assert codec.loads(data).code == 429


@unhurried
@given(
    st.sampled_from(OF_ANY_ARGS),
    st.lists(st.one_of(st.text(), st.integers(), st.binary(), st.none(), st.floats()), max_size=6),
    st.dictionaries(st.text(st.sampled_from("abc_")), st.integers(), max_size=3),
)
def test_args_and_attributes_of_any_kind_arrive(cls, args, attributes):
    """What was put into args and attributes afterwards arrives, in each class that takes any."""
    sent = cls.__new__(cls)
    sent.args = tuple(args)
    public = {name: value for name, value in attributes.items() if not name.startswith("__")}
    vars(sent).update(public)
    arrived = there_and_back(sent, with_traceback=False)
    assert type(arrived) is cls
    assert repr(arrived.args) == repr(tuple(args))
    assert vars(arrived).items() >= public.items()


@unhurried
@given(
    st.sampled_from(sorted(CLASSES)),
    st.lists(st.one_of(st.integers(), st.text(), st.binary(), st.none()), max_size=5),
    st.dictionaries(
        st.sampled_from(sorted({name for cls in ORDINARY for name in names_in_c(cls)})),
        st.one_of(st.integers(), st.text(), st.binary(), st.none()),
    ),
)
def test_foreign_state_is_harmless(name, args, slots):
    """State of the wrong types is a CodecError, or an exception that can be printed."""
    data = codec.dumps([name, args, slots, {}, None, None])
    try:
        arrived = codec.loads(b'{"~":["exception",' + data[1:-1] + b"]}")
    except errors.CodecError:
        return
    try:
        assert isinstance(repr(arrived) + str(arrived), str)
    except (TypeError, AttributeError, ValueError):
        assert name in CLASSES  # its own __str__ wants more than it was given
