"""
What stands in for modules of Elasticsearch that Maven Central does not have; ours, not Elastic's.

One real module, engine-extras (java/ExtrasPlugin.java.in), and empty modules whose names the others
require. Called by assembly.py.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from engines.maven import compile_java

JAVA = Path(__file__).with_name("java")

# What the template names between at signs: the server's own API differs between its majors.
NAMES = {
    8: {
        "IMPORTS": "",
        "SETTINGS": "LifecycleSettings.LIFECYCLE_SKIP_SETTING,",
        "HANDLER_PARAMETERS": (
            "Settings settings, NamedWriteableRegistry registry, RestController controller, "
            "ClusterSettings cluster, IndexScopedSettings index, SettingsFilter filter, "
            "IndexNameExpressionResolver resolver, Supplier<DiscoveryNodes> nodes, "
            "Predicate<NodeFeature> feature"
        ),
        "STREAMS": "state.metadata().dataStreams()",
        "HEALTH": "new ClusterStateHealth(state, names)",
        "CREATE_ARGUMENTS": (
            "request.getName(), request.getStartTime(), null, "
            "request.masterNodeTimeout(), request.ackTimeout(), true"
        ),
        "DELETE_STATE": "state",
    },
    9: {
        "IMPORTS": "import org.elasticsearch.cluster.metadata.ProjectId;",
        "SETTINGS": "",
        "HANDLER_PARAMETERS": (
            "ActionPlugin.RestHandlersServices given, Supplier<DiscoveryNodes> nodes, "
            "Predicate<NodeFeature> feature"
        ),
        "STREAMS": "state.metadata().getProject().dataStreams()",
        "HEALTH": "new ClusterStateHealth(state, names, ProjectId.DEFAULT)",
        "CREATE_ARGUMENTS": (
            "ProjectId.DEFAULT, request.getName(), request.getStartTime(), null, "
            "request.masterNodeTimeout(), request.ackTimeout()"
        ),
        "DELETE_STATE": "state.projectState(ProjectId.DEFAULT)",
    },
}

# x-pack-core 9.x requires this name: the data of built-in templates, published for 8.x only.
TEMPLATE_RESOURCES: dict[str, list[str]] = {"org.elasticsearch.xcore.templates": []}

# x-pack-security requires OpenSAML, which is not on Maven Central. The interfaces are those looked
# up when its classes are loaded. A SAML realm cannot work with them.
_SAML2 = "org.opensaml.saml.saml2"
OPENSAML: dict[str, list[str]] = {
    "org.opensaml.core": ["org.opensaml.core.xml.XMLObject"],
    "org.opensaml.saml": [
        f"{_SAML2}.core.LogoutResponse",
        f"{_SAML2}.core.StatusResponseType",
        f"{_SAML2}.core.LogoutRequest",
        f"{_SAML2}.core.RequestAbstractType",
        f"{_SAML2}.core.NameID",
        f"{_SAML2}.core.AuthnRequest",
        f"{_SAML2}.metadata.EntityDescriptor",
    ],
    "org.opensaml.saml.impl": [],
    "org.opensaml.security": [],
    "org.opensaml.security.impl": [],
    "org.opensaml.xmlsec": [],
    "org.opensaml.xmlsec.impl": [],
    "net.shibboleth.utilities.java.support": [],
}


def add_extras(home: Path, version: str, major: int, jdk: Path) -> None:
    """
    Compile engine-extras and add it to the modules of a home that has lib and x-pack-core.
    """
    text = (JAVA / "ExtrasPlugin.java.in").read_text()
    for name, replacement in NAMES[major].items():
        text = text.replace(f"@{name}@", replacement)
    build = home / "launcher" / "extras"
    module = home / "modules" / "engine-extras"
    build.mkdir()
    module.mkdir()
    source = build / "ExtrasPlugin.java"
    source.write_text(text)
    compile_java(jdk, [source], build / "classes", f"{home}/lib/*:{home}/modules/x-pack-core/*")
    _jar(build / "classes", module / "engine-extras.jar")
    (module / "plugin-descriptor.properties").write_text(
        "description=stand-ins for modules that are not on Maven Central\n"
        f"version={version}\nname=engine-extras\njava.version=17\n"
        f"elasticsearch.version={version}\nclassname=engine.extras.ExtrasPlugin\n"
        "extended.plugins=x-pack-core\n"
    )


def add_empty_modules(home: Path, module: str, jdk: Path, names: dict[str, list[str]]) -> None:
    """
    Add to one of the modules a jar a name: a Java module of that name, empty but for interfaces.
    """
    for name, interfaces in names.items():
        build = home / "launcher" / "empty" / name
        sources = []
        for path, text in _sources(name, interfaces).items():
            source = build / path
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(text)
            sources.append(source)
        compile_java(jdk, sources, build / "classes")
        _jar(build / "classes", home / "modules" / module / f"empty-{name}.jar")


def _sources(name: str, interfaces: Sequence[str]) -> dict[str, str]:
    split = [interface.rpartition(".") for interface in interfaces]
    exports = "".join(f" exports {package};" for package in sorted({one[0] for one in split}))
    sources = {
        f"{package.replace('.', '/')}/{simple}.java": f"package {package}; "
        f"public interface {simple} {{}}\n"
        for package, _, simple in split
    }
    return sources | {"module-info.java": f"module {name} {{{exports} }}\n"}


def _jar(classes: Path, jar: Path) -> None:
    with zipfile.ZipFile(jar, "w") as archive:
        for path in sorted(classes.rglob("*.class")):
            archive.write(path, path.relative_to(classes))
