"""What is a layer, and what people package instead: every mistake is named with where the runtime looks."""

import pytest

from constructs_pkg.signing.layer_tree import layer_problems


@pytest.mark.parametrize(
    "name",
    [
        "python/requests/__init__.py",
        "python/lib/python3.13/site-packages/requests/__init__.py",
        "nodejs/node_modules/got/index.js",
        "nodejs/node22/node_modules/got/index.js",
        "java/lib/gson.jar",
        "ruby/gems/3.3.0/gems/rack/rack.rb",
        "ruby/lib/rack.rb",
        "bin/tool",
        "lib/libvips.so",
        "extensions/agent",
        "bootstrap",
    ],
)
def test_what_lies_where_a_runtime_looks_is_a_layer_beside_anything_else(name) -> None:
    assert layer_problems([name]) == ()
    assert layer_problems([name, "README.md", "certificates/ca.pem"]) == ()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            ["requests/__init__.py", "requests.dist-info/METADATA"],
            "requests.dist-info/METADATA: Python looks in python/",
        ),
        (["module.py"], "module.py: Python looks in python/: move the packages below it"),
        (["site-packages/requests/__init__.py"], "put the tree below python/"),
        (["node_modules/got/index.js"], "move node_modules below nodejs/"),
        (["nodejs/index.js"], "nodejs/index.js: Node.js looks in nodejs/node_modules/ only"),
        (["index.mjs"], "make it a package there"),
        (["gson.jar"], "gson.jar: Java looks in java/lib/: move the JARs there"),
        (["java/gson.jar"], "Java looks in java/lib/ only"),
        (["gems/rack/rack.rb"], "Ruby looks in"),
        (["python"], "nothing lies where a runtime looks"),
        (["python/"], "nothing lies where a runtime looks"),
        ([], "nothing lies where a runtime looks"),
        (["META_INF/aws_signer_signature_v1.0.SF"], "nothing lies where a runtime looks"),
        (["layer/python/a.py", "layer/README"], "everything lies below layer/: package what is in layer/"),
    ],
)
def test_what_is_no_layer_is_told_with_the_remedy(names, words) -> None:
    problems = layer_problems(names)
    assert words in "\n".join(problems)


def test_many_names_are_cut_to_three() -> None:
    problems = layer_problems([f"m{number}.py" for number in range(5)])
    assert problems[0].startswith("m0.py, m1.py, m2.py and 2 more: ")
