"""A number in; that many scripts of functions nobody asked for, the same every time, out. *Pure*.

For measuring how well and how fast tools are found among others: names, parameters and docstrings as people write
them (some long, some short, many missing), about the things that notes are about.
"""

from __future__ import annotations

from random import Random

PER_SCRIPT = 10

_VERBS = """
parse format validate normalise merge split filter group sort rank encode decode wrap strip escape lookup resolve
collect compare diff sync export load dump refresh cache trim map reduce sample
"""
_TOPICS = """
invoice:header,footer,layout,currency_symbol,template project:colour,owner_field,folder_name,tag_tree,template
meeting:room,title,invite,location,agenda_order note:heading,callout,footnote,slug,alias_list,block_id
day:label,range,offset,name_table task:priority,marker,indent,label link:label,anchor,style,icon
book:isbn,cover,series,shelf_code card:back,layout,deck_name person:initials,address,phone,nickname
recipe:unit,step,photo_caption,title chart:axis,legend,colour_map,tick_label money:column,rounding,cell_style
bank:iban,branch_code,header_row weather:icon,station_code,unit_label image:caption,exif_field,thumbnail_name
mail:header,signature,quote_depth,folder file:suffix,encoding,stem,checksum text:indent,ligature,line_ending,snippet
table:column,row,cell,caption tag:prefix,case,hierarchy calendar:feed,colour,week_start
travel:ticket_code,seat,visa_field
word:stem,syllable,case_form habit:emoji,label,colour garden:bed_code,label,row_width sleep:phase_code,device_field
queue:message,offset,worker cache:key,entry,size_limit matrix:row,diagonal,shape graph:edge,node_label,layout
config:section,default,override log:level,record,rotation user:session,role,avatar url:query,fragment,host
json:pointer,schema_ref,path csv:dialect,delimiter,quoting sensor:channel,calibration,offset
"""
_DOCS = (
    "{Verb} the {noun} of a {topic}.",
    "{Verb} each {noun} so that later steps can rely on it.",
    "Return the {noun} for this {topic}, or the default when there is none.",
    "{Verb} {topic} {noun}s in place, one per line, in the order of the notes.",
    "Helper for the {topic} pages: {verb} {noun} values given as text.",
)
_TAILS = (
    "Only entries of the last month are looked at.",
    "Dates are read as ISO days; today counts.",
    "How many were changed is printed.",
    "Used by the weekly summary and by the project overview.",
    "Empty ones are left out, the rest keeps its order.",
    "Takes the name of a note or the path of a file.",
    "The total is not touched.",
    "Works for all clients, open and closed.",
    "Nothing is sent or written.",
    "A list is made when there is more than one.",
)
_PARAMETERS = (
    "value: str",
    "items: list[str]",
    "note: str",
    "folder: str = ''",
    "limit: int = 10",
    "start: str = ''",
    "end: str = ''",
    "strict: bool = False",
    "amount: float = 0.0",
    "name",
    "default=None",
    "project=''",
)


def draft_distractors(number: int, seed: int = 2026) -> dict[str, str]:
    """File name -> text of scripts that hold this many functions in all; every name is another."""
    random = Random(seed)
    pairs = [
        (verb, topic, noun)
        for verb in _VERBS.split()
        for topic, nouns in (entry.split(":") for entry in _TOPICS.split())
        for noun in nouns.split(",")
    ]
    chosen = random.sample(pairs, number)
    parts = [chosen[at : at + PER_SCRIPT] for at in range(0, number, PER_SCRIPT)]
    return {
        f"{part[0][1]}_{part[0][2]}_{place:03}.py": "\n\n".join(_function(random, *pair) for pair in part)
        for place, part in enumerate(parts)
    }


def _function(random: Random, verb: str, topic: str, noun: str) -> str:
    spoken = noun.replace("_", " ")
    chosen = sorted(random.sample(_PARAMETERS, random.randint(1, 4)), key=lambda parameter: "=" in parameter)
    lines = [f"def {verb}_{topic}_{noun}({', '.join(chosen)}):"]
    words = {"verb": verb, "Verb": verb.capitalize(), "topic": topic, "noun": spoken}
    manner = random.random()
    if manner < 0.6:
        told = [random.choice(_DOCS).format(**words)]
        if manner < 0.35:
            told += ["", *random.sample(_TAILS, random.randint(1, 3))]
        body = "\n    ".join(told) + ("\n    " if len(told) > 1 else "")
        lines.append(f'    """{body}"""')
    elif manner < 0.75:
        lines.append(f"    # {random.choice(_TAILS).lower()}")
    lines.append(f"    return {chosen[0].partition(':')[0].partition('=')[0]}")
    return "\n".join(lines) + "\n"
