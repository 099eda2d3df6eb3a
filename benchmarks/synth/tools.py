"""Tool calls and their results, as they stand in the log."""

from collections.abc import Callable
from random import Random
from typing import Final

from msgspec import Struct

from synth.ids import token
from synth.text import NOUNS, VERBS, Pools

HUGE_SHARE: Final = 0.0035


class Call(Struct, frozen=True):
    """One call: the block's input, the result's content and the client's own `toolUseResult`."""

    id: bytes
    name: bytes
    input: bytes
    content: bytes
    outcome: bytes


def make_call(rng: Random, pools: Pools, cwd: bytes) -> Call:
    """Make up a call of any of the everyday tools."""
    (maker,) = rng.choices(MAKERS, cum_weights=WEIGHTS)
    return maker(rng, pools, cwd)


def result_size(rng: Random) -> int:
    """Draw the size of a result: mostly some hundred bytes to some KB, with a long tail."""
    if rng.random() < HUGE_SHARE:
        return int(rng.uniform(15_000, 150_000))
    return min(int(rng.lognormvariate(6.9, 1.4)) + 40, 15_000)


def _id(rng: Random) -> bytes:
    return b"toolu_01" + token(rng, 22)


def _path(rng: Random, cwd: bytes) -> bytes:
    folder, name, verb = rng.choice(NOUNS), rng.choice(NOUNS), rng.choice(VERBS)
    return b"%b/src/%b/%b_%b.py" % (cwd, folder.encode(), verb.encode(), name.encode())


def _bash(rng: Random, pools: Pools, cwd: bytes) -> Call:
    command = pools.output.take(rng, int(rng.lognormvariate(4.9, 0.9)))
    out = pools.output.take(rng, result_size(rng))
    return Call(
        id=_id(rng),
        name=b"Bash",
        input=b'{"command":"cd %b && %b","description":"%b the %b"}'
        % (cwd, command, rng.choice(VERBS).encode(), rng.choice(NOUNS).encode()),
        content=b'"%b"' % out,
        outcome=b'{"stdout":"%b","stderr":"","interrupted":false,"isImage":false,'
        b'"noOutputExpected":false}' % out,
    )


def _read(rng: Random, pools: Pools, cwd: bytes) -> Call:
    path, size = _path(rng, cwd), result_size(rng)
    if size > 15_000 and rng.random() < 0.4:
        return _read_image(rng, pools, path, size)
    lines = size // 45 + 1
    return Call(
        id=_id(rng),
        name=b"Read",
        input=b'{"file_path":"%b","offset":%d,"limit":%d}' % (path, lines, lines),
        content=b'"%b"' % pools.numbered.take(rng, size),
        outcome=b'{"type":"text","file":{"filePath":"%b","content":"%b","numLines":%d,'
        b'"startLine":%d,"totalLines":%d}}'
        % (path, pools.code.take(rng, size), lines, lines, lines * 3),
    )


def _read_image(rng: Random, pools: Pools, path: bytes, size: int) -> Call:
    data = pools.blob(rng, size)
    return Call(
        id=_id(rng),
        name=b"Read",
        input=b'{"file_path":"%b.png"}' % path,
        content=b'[{"type":"image","source":{"type":"base64","data":"%b",'
        b'"media_type":"image/png"}}]' % data,
        outcome=b'{"type":"image","file":{"base64":"%b","type":"image/png","originalSize":%d}}'
        % (data, size * 3 // 4),
    )


def _edit(rng: Random, pools: Pools, cwd: bytes) -> Call:
    path = _path(rng, cwd)
    old = pools.code.take(rng, int(rng.lognormvariate(5.6, 0.9)))
    new = pools.code.take(rng, int(rng.lognormvariate(5.9, 1.0)))
    return Call(
        id=_id(rng),
        name=b"Edit",
        input=b'{"replace_all":false,"file_path":"%b","old_string":"%b","new_string":"%b"}'
        % (path, old, new),
        content=b'"The file %b has been updated successfully."' % path,
        outcome=b'{"filePath":"%b","oldString":"%b","newString":"%b","originalFile":"%b",'
        b'"structuredPatch":[{"oldStart":%d,"oldLines":9,"newStart":%d,"newLines":12,'
        b'"lines":["%b"]}],"userModified":false,"replaceAll":false}'
        % (path, old, new, pools.code.take(rng, 2 * result_size(rng)), len(old), len(old), new),
    )


def _write(rng: Random, pools: Pools, cwd: bytes) -> Call:
    path = _path(rng, cwd)
    text = pools.code.take(rng, min(int(rng.lognormvariate(7.9, 0.8)), 40_000))
    return Call(
        id=_id(rng),
        name=b"Write",
        input=b'{"file_path":"%b","content":"%b"}' % (path, text),
        content=b'"File created successfully at: %b"' % path,
        outcome=b'{"type":"create","filePath":"%b","content":"%b","structuredPatch":[],'
        b'"originalFile":null,"userModified":false}' % (path, text),
    )


def _grep(rng: Random, pools: Pools, cwd: bytes) -> Call:
    found = pools.output.take(rng, result_size(rng))
    noun = rng.choice(NOUNS).encode()
    return Call(
        id=_id(rng),
        name=b"Grep",
        input=b'{"pattern":"def \\\\w+_%b\\\\(","path":"%b/src","output_mode":"content","-n":true}'
        % (noun, cwd),
        content=b'"%b"' % found,
        outcome=b'{"mode":"content","numFiles":0,"filenames":[],"content":"%b","numLines":%d}'
        % (found, len(found) // 70 + 1),
    )


def _todo(rng: Random, pools: Pools, _cwd: bytes) -> Call:
    text = pools.prose.take(rng, 300)
    todos = b'[{"content":"%b","status":"in_progress","activeForm":"%b"}]' % (text, text)
    return Call(
        id=_id(rng),
        name=b"TodoWrite",
        input=b'{"todos":%b}' % todos,
        content=b'"Todos have been modified successfully. Ensure that you continue to use the todo'
        b' list to track your progress."',
        outcome=b'{"oldTodos":[],"newTodos":%b}' % todos,
    )


MAKERS: Final[list[Callable[[Random, Pools, bytes], Call]]] = [
    _bash,
    _read,
    _edit,
    _grep,
    _write,
    _todo,
]
WEIGHTS: Final = [42, 67, 83, 91, 96, 100]
