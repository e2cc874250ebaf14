"""What the evaluator knows is what Node.js computes; what it cannot know is Unknown, and nothing runs away with it."""

import json
import shutil
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.tree import Tree
from checks.typescript import outline
from checks.typescript.globals_ import stringify
from checks.typescript.program import Program
from checks.typescript.values import UNDEFINED, Unknown, number_text, unknowns

BEFORE = """
const o = { a: 1, b: "x", c: [1, 2, 3], 2: "two", 1: "one", "k-1": null, n: { deep: { er: true } } };
const list = ["b", "a", "c"]; const nothing = undefined; const none = null; const s = "Hello World";
enum Color { Red = "r", Green = "g" } enum Num { A, B = 5, C } const enum Fast { X = "x" }
const add = (a, b = 2, ...rest) => a + b + rest.length; function twice(x) { return x * 2; }
function kind(x) { if (x > 10) { return "big"; } else if (x > 5) return "mid"; let r = ""; for (const c of ["s", "m"]) { r += c; } return r; }
const { a: first, n: { deep }, z = 9, ...others } = o; const [p, , q = 7, ...rest] = [1, 2, undefined, 4, 5];
const acc = []; for (let i = 0; i < 4; i++) { if (i === 2) continue; acc.push(i * i); } const m = {}; for (const k of list) { m[k] = k.toUpperCase(); }
function sw(x) { switch (x) { case 1: case 2: return "low"; case 3: { return "three"; } default: return "other"; } }
const total = list.reduce((t, x, i) => t + x + i, ""); let counter = 0; const next = () => ++counter; next(); next();
class Shape { static kind = "shape"; static #n = 2; static get all() { return [Shape.kind, this.#n]; } static { Shape.kind += "s"; } constructor(public id: string) {} get area() { return this.id + 1; } name() { return "S"; } }
class Square extends Shape { side = 1; constructor(n: number) { super("q"); this.side = n; } get area() { return this.side ** 2; } name() { return super.name() + this.id; } }
namespace Space { const A = 1; export const B = A + 1; export namespace In { export function c() { return B; } } } enum Twice { A = 1 } enum Twice { B = 2 }
"""
EXPRESSIONS = """1 + 2 * 3 - 4 / 2|7 % 3|2 ** 10|0.1 + 0.2|1e21|1e-7|123456789012345680000|0x1F|0b101|1_000|-5|+5|!0|!!"x"|"a" + 1 + true|"b" > "a"
`x${o.a}y${list}`|typeof o.a|typeof s|typeof nothing|typeof twice|o.c.length|o["b"]|o?.n?.deep.er|nothing?.x.y|none ?? "d"|0 ?? "d"|0 || "d"|"" || "e"|1 && 2|null == undefined
null === undefined|1 === 1.0|"1" === 1|o.a ? "yes" : "no"|Object.keys(o)|Object.values(o)|Object.entries({ x: 1 })|Object.fromEntries([["x", 1], ["y", 2]])|Object.assign({ a: 1 }, { b: 2 })
({ ...o, a: 2, [`k${1}`]: 3 })|[...list, ..."ab"]|list.map((x) => x + x)|list.filter((x) => x !== "a")|[3, 1, 2].sort()|[10, 9, 1].sort()|[3, 1, 2].sort((a, b) => b - a)|[...list].reverse()|list.join("-")
list.includes("a")|list.indexOf("c")|list.find((x) => x > "a")|list.some((x) => x === "a")|list.every((x) => x.length === 1)|list.slice(1)|list.slice(-1)|list.concat(["z"], "y")|[[1, [2]], [3]].flat()|[1, 2].flatMap((x) => [x, x])
list.entries ? 1 : 0|[1, 2, 3].at(-1)|Array.from({ length: 3 }, (_, i) => i)|Array.isArray(list)|[1, [2, [3]]].flat(2)|list.reduce((t, x) => t + x)|[..."abc"].map((c) => c.toUpperCase()).join("")
s.toLowerCase()|s.toUpperCase()|s.slice(0, 5)|s.slice(-5)|s.split(" ")|s.split("")|s.replace("World", "You")|s.replaceAll("o", "0")|s.replace(/o/g, "0")|s.replace(/([A-Z])/g, "_$1").toLowerCase()|s.startsWith("Hell")|s.endsWith("d")
s.includes("lo W")|s.indexOf("o")|s.lastIndexOf("o")|s.charAt(1)|s[1]|s.at(-1)|s.substring(3, 1)|s.padStart(13, "*")|s.padEnd(13)|"ab".repeat(3)|"  x ".trim()|s.length|"é".length|"😀".length|s.concat("!", "?")|"a-b_c".split(/[-_]/)
"camelCaseName".replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)|Color.Red|Object.values(Color)|Object.keys(Num)|Object.values(Num)|Num.C|Num[5]|add(1)|add(1, 1, 1, 1)|twice(4)|kind(3)|kind(7)|kind(11)|first|deep|z|others|p|q|rest|acc|m|sw(2)|sw(3)|sw(9)
total|counter|JSON.stringify(o)|JSON.stringify([undefined, 1, "é\\u2028"])|JSON.parse('{"a":[1,2]}')|String(5)|Number("5.5")|Boolean("")|Math.max(1, 5, 3)|Math.min(2, 1)|Math.floor(2.7)|Math.round(2.5)|parseInt("42")|Date.UTC(2020, 1, 29)|Date.UTC(2021, 13, 0, 25, -3)|(5).toString()|"b" in o|"zz" in o
(() => { const x = 1; { const x = 2; } return x; })()|((x) => { x.push(1); return x; })([0])|[1, 2, 3].map((x, i, all) => x * i + all.length)|(function (n) { return n + 1; })(1)|((...xs) => xs)(1, 2)|(({ a, b = 3 }) => a + b)({ a: 1 })|(([a, b]) => b)([1, 2])
new Set([1, 1, 2]).size|[...new Set(["x", "y", "x"])]|new Map([["a", 1]]).get("a")|new Date("2024-02-29").toISOString()|new Date("2024-02-29T10:11:12+02:00").toISOString()|new Date(0).toISOString()|1 < 2 && 2 < 3|[1, 2, 3].length > 2 ? "a" : "b"|5 & 3|1 << 4|-9 >> 1
"\\u0041\\x42\\n\\t\\'"|'it\\'s'|o.missing|[1, 2][5]|void 0|((a, b) => b)(1)|Object.freeze({ x: 1 }).x|Object.entries(o).map(([k, v]) => k)|list.toString()|[1, null, undefined, "x"].join()|`${[1, [2, 3]]}`|`${null} ${undefined} ${true}`
["a", "b"].map((x) => ({ [x]: 1 })).reduce((t, x) => ({ ...t, ...x }), {})|(1, 2)|!("x" === "y")|{}.x|[].length|{ a: { b: 1 } }.a.b|Fast.X|list.at(0)!.length|(o as any).a|(<any>o).b|o.c satisfies number[]|((f) => f(2))(twice)|twice.call(null, 3)|add.apply(null, [1, 2])|twice.bind(null, 4)()
({ get x() { return 1; } }).x|({ ...{ get x() { return 2; } } }).x|({ y: 3, get x() { return this.y; } }).x|Shape.kind|Shape.all|Object.values(Shape)|new Shape("a").area|new Square(4).area|new Square(4).name()|({ ...new Square(2) })|Space.B|Space.In.c()|Object.keys(Space)|Twice.A + Twice.B|Object.values(Twice)
parseInt("3.7")|parseInt("12px", 10)|parseFloat("1.50x")|Number("")|Number("1e3")|String(Number("x"))|isNaN(Number("x"))|structuredClone({ a: [1] })|Object.defineProperty({}, "a", { value: 1, enumerable: true })|Object.prototype.hasOwnProperty.call(o, "b")"""
NOT_KNOWN = """process.env.X|process.env.X ?? "d"|Math.random()|Date.now()|new Date()|`${process.env.Y}`|[process.env.X].join()|process.env.X ? 1 : 1|missing|o.c.nope()|await x|fetch("x")|o.__proto__|({ __proto__: o }).a
({ set x(v) { } }).x|new (class { constructor() { if (process.env.X) return; this.n = 1; } })().n|new Foo().bar|"x".localeCompare("y")|s.replace(/(?<=o)x/, "y")|globalThis.x|(() => { throw 1; })()|(() => { while (true) {} })()|[...process.env.X]|{ ...process.env }.x|Object.keys(process.env.X)|JSON.parse(process.env.X)"""


def expressions(text):
    """The expressions of a listing; `||` is an operator, not a border."""
    return [
        part.replace("\0", "||").strip()
        for part in text.replace("||", "\0").replace("\n", "|").split("|")
        if part.strip()
    ]


def evaluated(files, path="m.ts"):
    """The exports of a module by name."""
    program = Program(Tree.of(files), lambda _specifier: None)
    return {export.name: export.value for export in program.exports(path)}


def values(codes):
    """What we say each expression is."""
    source = BEFORE + "".join(f"export const e{index} = ({code});\n" for index, code in enumerate(codes))
    found = evaluated({"m.ts": source})
    return [found[f"e{index}"] for index in range(len(codes))]


@pytest.mark.node
def test_known_expressions_are_what_node_computes(tmp_path):
    """Some 180 expressions: all are known, and equal."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not here")
    from tests import node_oracle  # noqa: PLC0415 - only where Node.js is

    codes = expressions(EXPRESSIONS)
    lines = ["const undef = '__undefined__'; const out = [];"]
    lines += [f"out.push(((v) => v === undefined ? undef : v)({code}));" for code in codes]
    source = BEFORE + "\n".join(lines) + "\nprocess.stdout.write(JSON.stringify(out));"
    oracle = node_oracle.require("v0")
    script = f"""const esbuild = require({json.dumps(str(oracle.folder / "node_modules/esbuild"))});
    eval(esbuild.transformSync({json.dumps(source)}, {{ loader: "ts", format: "cjs" }}).code);"""
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    wrong = []
    for code, ours, their in zip(codes, values(codes), theirs, strict=True):
        text = (
            '"__undefined__"' if ours is UNDEFINED else stringify(ours, None) if not isinstance(ours, Unknown) else ours
        )
        if isinstance(text, Unknown) or json.loads(text) != their:
            wrong.append((code, ours, their))
    assert wrong == []
    assert len(codes) > 170


def test_what_is_not_in_the_source_is_unknown():
    """The environment, time, chance, getters, prototypes, classes, endless loops: Unknown with a place."""
    codes = expressions(NOT_KNOWN)
    known = [code for code, value in zip(codes, values(codes), strict=True) if not any(unknowns(value))]
    assert known == []


@pytest.mark.node
def test_numbers_are_printed_as_javascript_does():
    """Every float that a default can be."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not here")
    numbers = [
        0,
        -0.0,
        1.5,
        1e21,
        1e-6,
        1e-7,
        123e-20,
        5e-324,
        1.7976931348623157e308,
        2**53,
        0.000001234,
        1e20,
        1.0e22,
    ]
    numbers += [float(f"{digit}.{digit}1e{power}") for digit in (1, 9) for power in range(-30, 31, 3)]
    script = f"process.stdout.write(JSON.stringify({json.dumps(numbers)}.map(String)))"
    theirs = json.loads(subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True).stdout)
    assert [number_text(number) for number in numbers] == theirs


def test_modules_are_found_as_typescript_finds_them():
    """Relative paths, folders, `.js` for `.ts`, tsconfig paths with comments and extends, workspaces, `#imports`, barrels, JSON."""
    files = {
        "app/src/m.ts": """import { a } from "./a"; import b, { c as cc } from "./lib/index.js"; import * as ns from "@/deep/x";
            import { w } from "@org/db/schema"; import { i } from "#inner/i"; import data from "./data.json"; import { star } from "./barrel";
            import { built } from "@org/built"; import { plain } from "plain"; const { req } = require("./req.cjs"); export { a, b, cc, w, i, star, built, plain, req };
            export const n = ns.x; export const d = data.list[1]; export * from "./more"; export * as all from "./more"; import { z } from "base/z"; export { z };""",
        "app/src/a.ts": "import { back } from './m'; export const a = 'a'; export const lazy = () => back;",
        "app/src/lib/index.ts": "const b = 'b'; export default b; export const c = 'c';",
        "app/src/deep/x.tsx": "export const x = 'x';",
        "app/src/barrel.ts": "export * from './empty'; export * from './star'; export type { T } from './nowhere';",
        "app/src/empty.ts": "export {};",
        "app/src/star.ts": "export { s as star } from './s';",
        "app/src/s.ts": "export const s = 's';",
        "app/src/more.ts": "export const more = 'more'; export default 'hidden';",
        "app/src/data.json": '{"list": [1, 2]}',
        "app/src/req.cjs": "module.exports = { req: 'r' };",
        "app/src/inner/i.ts": "export const i = 'i';",
        "app/tsconfig.json": '{ // paths\n "extends": "../tsconfig.base.json", "compilerOptions": { "paths": { "@/*": ["./src/*"], }, /* end */ }, }',
        "tsconfig.base.json": '{"compilerOptions": {"baseUrl": ".", "paths": {"base/*": ["shared/*"]}}}',
        "shared/z.ts": "export const z = 'z';",
        "app/package.json": '{"imports": {"#inner/*": "./src/inner/*.ts"}}',
        "packages/db/package.json": '{"name": "@org/db", "exports": {"./*": {"types": "./dist/*.d.ts", "default": "./dist/*.js"}}}',
        "packages/db/src/schema.ts": "export const w = 'w';",
        "packages/built/package.json": '{"name": "@org/built", "main": "./dist/index.js", "types": "./dist/index.d.ts"}',
        "packages/built/src/index.ts": "export const built = 'built';",
        "packages/plain/package.json": '{"name": "plain"}',
        "packages/plain/index.ts": "export const plain = 'plain';",
    }
    found = evaluated(files, "app/src/m.ts")
    assert found.pop("all").get("more") == "more"
    assert found == {
        "a": "a", "b": "b", "cc": "c", "w": "w", "i": "i", "star": "s", "built": "built", "plain": "plain", "req": "r",
        "n": "x", "d": 2, "more": "more", "z": "z",
    }  # fmt: skip


def test_what_cannot_be_found_is_unknown_where_it_is_imported():
    """A missing file, a missing export, a package outside of the repository."""
    found = evaluated({
        "m.ts": """import { a } from "./gone"; import { b } from "./here"; import { c } from "some-db-schema"; import { z } from "zod";
            export { a, b, c }; export const v = z.object({}).strict(); export * from "../../out";""",
        "here.ts": "export const other = 1;",
    })  # fmt: skip
    assert {name: (value.path, value.line, value.why, value.inert) for name, value in found.items()} == {
        "a": ("m.ts", 1, "there is no file for `./gone`", False),
        "b": ("here.ts", 1, "here.ts has no export `b`", False),
        "c": ("m.ts", 1, "`c` comes from the package `some-db-schema`, which is not part of the repository", False),
        "v": ("m.ts", 1, "`z` comes from the package `zod`, which is not part of the repository", True),
    }


def test_an_unknown_condition_spoils_what_it_may_change_and_no_more():
    """`if` on the environment: the variables it assigns and the objects it fills are unknown, the others are not."""
    found = evaluated({
        "m.ts": """export let a = 1; export let b = 2; export const list = [1]; const obj = { x: 1 };
            if (process.env.X) { a = 2; list.push(2); Object.assign(obj, { y: 2 }); } else { const c = 3; }
            export { obj }; export const f = (x: number) => { if (process.env.Y) return 1; return x; }; export const r = f(5);
            export const g = () => { let t = 0; if (process.env.Y) { t = 1; } return [t, b]; }; export const s = g();"""
    })  # fmt: skip
    assert found["b"] == 2
    assert all(isinstance(found[name], Unknown) for name in ("a", "list", "obj", "r"))
    assert isinstance(found["s"][0], Unknown)
    assert found["s"][1] == 2


@pytest.mark.parametrize(
    "source",
    [
        "export const x = " + "(" * 50_000 + "1" + ")" * 50_000 + ";",
        "export const x = " + "[" * 20_000 + "]" * 20_000 + ";",
        "export const x = " + "{a:" * 20_000 + "1" + "}" * 20_000 + ";",
        "export const x = " + "+".join(["1"] * 50_000) + ";",
        "export const x = f" + ".a()" * 30_000 + ";",
        "export const x = " + "!" * 30_000 + "1;",
        "export const x = " + "`${" * 5_000 + "1" + "}`" * 5_000 + ";",
        "const f = (n) => f(n + 1); export const x = f(0);",
        "const a = () => b(); const b = () => a(); export const x = a();",
        "const f = (n) => n < 2 ? n : f(n - 1) + f(n - 2); export const x = f(60);",
        "export const x = (() => { let s = 'x'; while (true) { s = s + s; } })();",
        "export const x = (() => { let s = ['x']; for (;;) { s = [...s, ...s]; } })();",
        "let o = {}; for (let i = 0; i < 1e9; i++) { o = { o, p: o }; } export const x = JSON.stringify(o);",
        "export const x = 'x'.repeat(1e9);",
        "export const x = Array.from({ length: 1e9 });",
        "export const x = 'x'.padStart(1e9);",
        "export const x = 9n ** 9n ** 9n;",
        "export const x = 'a'.repeat(40).replace(/(a+)+$/, 'b') + 'a'.repeat(40000).replace(/a*a*a*a*b/, '');",
        "const o = { f() { return o.f(); } }; export const x = o.f();",
        "export const x = x + 1; export const y = z; export const z = y;",
        "const o = { toString() { return `${o}`; } }; export const x = `${o}`;",
        "const a = []; a.push(a); export const x = `${a}`; export const y = JSON.stringify(a); export const z = a.flat(Infinity);",
        "export const x = [1,2,3].map(function f(y) { return [y].map(f); });",
        "export const x = " + "a ? ".join(["b"] * 5000),
        "\x00\xff\xfe" * 1000,
        "export const x = `" + "\\u{110000}" * 100 + "`; export const y = '\\ud800';",
        "import { x } from './m'; export { x };",
        "export * from './m'; export * from './m.ts';",
        "export const { ...x } = x; export const [y = y] = [];",
        "{" * 10_000 + "}" * 10_000 + "export const x = 1;",
        "if (a) " * 10_000 + "b(); export const x = 1;",
        "let o = [1];"
        + "o = [o, o];" * 60
        + "export const x = `${o}`; export const y = o.flat(Infinity); export const z = JSON.stringify(o);",
        "let o = { a: 1 };" + "o = { a: o, b: o };" * 60 + "export const x = JSON.stringify(o);",
    ],
)
def test_hostile_code_costs_little(source):
    """Depth, size, recursion and loops end in an Unknown within seconds, never in an exception."""
    start = time.monotonic()
    for value in evaluated({"m.ts": source}).values():
        list(unknowns(value))
    assert time.monotonic() - start < 8


def test_big_files_are_refused_and_equal_files_are_read_once():
    """A file of more than 4 MB is not read; a file whose content is known is not parsed again."""
    found = Program(Tree.of({"m.ts": "export const x = 1;" + " " * (5 << 20)}), lambda _s: None)
    assert found.module("m.ts").lost == "is a file of 5 MB; at most 4 MB are read"
    source = {"m.ts": "export const only_here = 'read once';"}
    evaluated(source)
    before = dict(outline.kept())
    evaluated(source | {"other.ts": source["m.ts"]}, "other.ts")
    assert dict(outline.kept()) == before


@given(st.text(alphabet="{}[]()<>`$=;:,.'\"/\\ \nabcx01=>", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_without_an_exception(text):
    """Whatever stands in the file."""
    evaluated({"m.ts": "export const a = 1;\n" + text})
    evaluated({"m.ts": f"export const a = {text};\nexport const b = 2;"})
