"""A question that names a position of the future waits for it, half a minute: here nobody waits."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    query = case.query
    for name in ("at_least", "as_of"):
        try:
            if isinstance(query, dict) and int(query[name]) > 1:
                query[name] = 1
        except (KeyError, TypeError, ValueError):
            pass
