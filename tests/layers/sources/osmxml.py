"""Files of OpenStreetMap written by hand."""

from xml.sax.saxutils import quoteattr


def xml(ways, *, nodes=None, missing=(), tags=None, relations=(), meta=""):
    """Text of a file.

    Ways come as ``(ids of nodes, tags)``; node 10 * x + y lies at x, y thousandths unless
    `nodes` says where it is. `tags` are those of nodes. Relations come as ``(members, tags)``
    with members ``(id of a way, role)``.
    """
    used = sorted({ref for refs, _ in ways for ref in refs} - set(missing))
    places = nodes or {ref: (120 + ref // 10 / 1000, 30 + ref % 10 / 1000) for ref in used}
    lines = ['<osm version="0.6">', meta]
    for ref, (x, y) in places.items():
        lines += [f'<node id="{ref}" lon="{x}" lat="{y}">', *_tags((tags or {}).get(ref, {}))]
        lines.append("</node>")
    for number, (refs, given) in enumerate(ways, 1):
        own = dict(given)
        lines.append(f'<way id="{own.pop("id", number)}">')
        lines += [f'<nd ref="{ref}"/>' for ref in refs]
        lines += [*_tags(own), "</way>"]
    for number, (members, given) in enumerate(relations, 1):
        own = dict(given)
        lines.append(f'<relation id="{own.pop("id", number)}">')
        lines += [f'<member type="way" ref="{ref}" role="{role}"/>' for ref, role in members]
        lines += [*_tags(own), "</relation>"]
    return "\n".join([*lines, "</osm>"])


def _tags(tags):
    return [f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items()]
