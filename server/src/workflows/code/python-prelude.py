"""Runs the code of a builder inside of the sandbox that python-sandbox.ts makes.

The job comes as JSON through stdin, its outcome leaves as JSON through stdout. What the code prints goes neither way.
"""

import ast
import json
import os
import resource
import sys
import types

# in the standard library, but of no use here or not where Python runs for others
REFUSED = set(
    'curses dbm ensurepip fcntl grp idlelib lib2to3 msvcrt pwd resource syslog termios tkinter turtle turtledemo venv '
    'winreg winsound multiprocessing threading socket pty tty'.split()
)
THIRD_PARTY = {'httpx', 'numpy'}
MAIN = 'main.py'
MB = 1_000_000


class Args:
    def __init__(self, params):
        self.params = params


class Printed:
    """Keeps the end of what is written."""

    def __init__(self, chars):
        self.chars = chars
        self.text = ''

    def write(self, text):
        self.text = (self.text + text)[-self.chars :]
        return len(text)

    def flush(self):
        pass

    def isatty(self):
        return False


class Refused(Exception):
    def __init__(self, message, line=0):
        super().__init__(message)
        self.line = line


def run(job, reply):
    printed = sys.stdout = sys.stderr = Printed(job['printedChars'])
    try:
        outcome = encode({'result': call_main(job)})
        if len(outcome) > job['resultBytes'] + 100:
            raise Refused('the result is too large: return less')
    except BaseException as error:
        # what the code has filled up is still there: a little more room, to say so
        set_limit(resource.RLIMIT_AS, job['memoryBytes'] + 16 * MB)
        outcome = encode({**describe(error), 'printed': printed.text})
    while outcome:
        outcome = outcome[os.write(reply, outcome) :]
    # at once: the code may have left something for the end
    os._exit(0)


def call_main(job):
    tree = ast.parse(job['code'], MAIN)
    imported = imported_names(tree)
    module = types.ModuleType('main')
    module.__dict__.update(Args=Args, Output=dict)
    sys.modules['main'] = module
    exec(compile(tree, MAIN, 'exec'), module.__dict__)

    main = module.__dict__.get('main')
    if not callable(main):
        raise Refused('there is no function main: the code must define async def main(args: Args) -> Output')
    result = main(Args(job['params']))
    return wait_for(result, imported) if isinstance(result, types.CoroutineType) else result


def imported_names(tree):
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or '']
        else:
            continue
        for name in {each.partition('.')[0] for each in modules}:
            if name in REFUSED or name not in sys.stdlib_module_names | THIRD_PARTY:
                raise Refused(f'ImportError: the module {name} is not available in code nodes', node.lineno)
            names.add(name)
    return names


def wait_for(coroutine, imported):
    # asyncio takes longer to load than all the rest, and most code waits for nothing
    if imported & {'asyncio', 'httpx'}:
        import asyncio

        return asyncio.run(coroutine)
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise Refused('main waits for something that is not of asyncio: import asyncio at the top')


def encode(outcome):
    text = json.dumps(outcome, ensure_ascii=False, allow_nan=False, separators=(',', ':'), default=to_plain)
    # half of a character pair becomes what JSON writes for it
    return text.encode('utf-8', 'backslashreplace')


def to_plain(value):
    # arrays and numbers of numpy
    if type(value).__module__ == 'numpy':
        return value.tolist()
    raise TypeError(f'the result holds a {type(value).__name__}, which is no JSON')


def describe(error):
    try:
        if isinstance(error, Refused):
            return {'error': str(error), 'line': error.line}
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        name = type(error).__name__
        return {'error': (f'{name}: {message}' if message else name)[:1000], 'line': line_of(error)}
    except BaseException:
        return {'error': 'the code raised something that cannot be shown'}


def line_of(error):
    """The innermost one of the builder's own code."""
    if isinstance(error, SyntaxError) and error.filename == MAIN:
        return error.lineno or 0
    line, trace = 0, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == MAIN:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def set_limit(which, soft, hard=None):
    resource.setrlimit(which, (soft, soft if hard is None else hard))


def set_limits(job):
    set_limit(resource.RLIMIT_AS, job['memoryBytes'], job['memoryBytes'] + 16 * MB)
    set_limit(resource.RLIMIT_CPU, job['cpuSeconds'])
    set_limit(resource.RLIMIT_NOFILE, job['openFiles'])
    for none in (resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_MSGQUEUE):
        set_limit(none, 0)


def hide_streams():
    """Where the outcome goes from now on."""
    reply = os.dup(1)
    nothing = os.open('/dev/null', os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)
    return reply


job = json.load(sys.stdin.buffer)
reply = hide_streams()
set_limits(job)
run(job, reply)
