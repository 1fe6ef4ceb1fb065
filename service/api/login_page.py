"""The page that asks for a token, or says who is signed in; it loads nothing."""

from html import escape

from service.store.access import Principal

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>bitfloor: {title}</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; --line: #8886; --accent: #2563eb; --wrong: #b91c1c; }}
@media (prefers-color-scheme: dark) {{ :root {{ --accent: #60a5fa; --wrong: #fca5a5; }} }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh;
  display: grid; place-items: center; }}
main {{ width: min(26rem, 100vw - 3rem); }}
h1 {{ font-size: 1.25rem; margin: 0 0 1rem; }}
label {{ display: block; margin-bottom: .25rem; }}
input {{ font: inherit; font-family: ui-monospace, monospace; width: 100%; box-sizing: border-box;
  padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .375rem; }}
button {{ font: inherit; margin-top: 1rem; padding: .5rem 1.25rem; border: 0;
  border-radius: .375rem; background: var(--accent); color: Canvas; cursor: pointer; }}
.wrong {{ color: var(--wrong); }}
.hint {{ opacity: .75; font-size: .875rem; }}
code {{ font-family: ui-monospace, monospace; }}
</style>
</head>
<body><main>
<h1>{title}</h1>
{content}
</main></body>
</html>
"""

_ASK = """{complaint}<form method="post" action="/login">
<input type="hidden" name="next" value="{there}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus
  spellcheck="false">
<button>Sign in</button>
</form>
<p class="hint">Whoever runs this service makes tokens with <code>bitfloor token create</code>.
The page shows jobs and changes none.</p>"""

_KNOWN = """<p>You see {what}. <a href="{there}">Go on</a></p>
<form method="post" action="/logout"><button>Sign out</button></form>"""


def render(*, there: str, principal: Principal | None = None, complaint: str = "") -> str:
    """Return the page; `there` is where to go once signed in."""
    if principal is not None:
        what = f"the jobs of <b>{escape(principal.tenant)}</b>" if principal.sees else "all jobs"
        known = _KNOWN.format(what=what, there=escape(there))
        return _PAGE.format(title="You are signed in", content=known)
    told = f'<p class="wrong" role="alert">{escape(complaint)}</p>\n' if complaint else ""
    asked = _ASK.format(complaint=told, there=escape(there))
    return _PAGE.format(title="Sign in to bitfloor", content=asked)
