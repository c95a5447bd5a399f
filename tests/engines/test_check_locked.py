"""
`sink check` on real engines with passwords: which setting is wrong, which permission is missing.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from elasticsearch import Elasticsearch as Client

from engines import Elasticsearch, EngineError, Kafka, start_together
from tests.engines.checking import TIMEOUT_S, Row, Setup, create_topic
from tests.engines.commanding import command
from tests.engines.running import Setup as Running
from tests.engines.running import SinkProcess
from tests.waiting import wait_until

_UNREAD = "whether the brokers delete letters is not known: allow DESCRIBE_CONFIGS"
_JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required"

# The listener of the clients asks for a password; the controller's does not.
_SASL: dict[str, str | int | bool] = {
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "listener.name.plaintext.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.plaintext.plain.sasl.jaas.config": f'{_JAAS} username="admin" password="pw" '
    'user_admin="pw" user_reader="pw";',
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:admin;User:ANONYMOUS",
}


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kafka, Elasticsearch]]:
    """Both engines with passwords and permissions."""
    folder = tmp_path_factory.mktemp("locked")
    kafka = Kafka(folder / "kafka", fast_start=True, settings=_SASL)
    elasticsearch = Elasticsearch(
        folder / "elasticsearch", heap="512m", fast_start=True, security=True, password="s3cret-pw"
    )
    try:
        start_together(kafka, elasticsearch)
    except EngineError as failure:
        pytest.fail(str(failure), pytrace=False)
    with ExitStack() as running:
        running.callback(kafka.stop)
        running.callback(elasticsearch.stop)
        yield kafka, elasticsearch


@pytest.fixture
def locked_setup(locked: tuple[Kafka, Elasticsearch], tmp_path: Path) -> Setup:
    """The users that may do everything."""
    kafka, elasticsearch = locked
    setup = Setup(tmp_path, kafka.bootstrap_servers, elasticsearch.url)
    setup.kafka |= {"security_protocol": "sasl_plaintext", "sasl_mechanism": "PLAIN"}
    setup.kafka |= {"sasl_username": "admin", "sasl_password": "pw"}
    setup.elasticsearch["basic_auth"] = "elastic:s3cret-pw"
    return setup


@pytest.fixture
def admin(locked: tuple[Kafka, Elasticsearch]) -> AdminClient:
    return AdminClient(
        {
            "bootstrap.servers": locked[0].bootstrap_servers,
            "security.protocol": "sasl_plaintext",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "admin",
            "sasl.password": "pw",
        }
    )


@pytest.fixture
def client(locked: tuple[Kafka, Elasticsearch]) -> Iterator[Client]:
    with Client(locked[1].url, basic_auth=("elastic", "s3cret-pw")) as client:
        yield client


def test_wrong_passwords_name_the_settings(locked_setup: Setup) -> None:
    locked_setup.kafka["sasl_password"] = "no"
    locked_setup.elasticsearch["basic_auth"] = "elastic:no"

    checked = locked_setup.check()

    assert checked.one("Kafka").remedy.startswith("correct kafka.sasl_username, ")
    assert checked.one("Elasticsearch").remedy == "correct elasticsearch.basic_auth"
    assert len(checked.rows) == 3
    assert checked.exit_code == 1


def test_what_a_kafka_user_may_not_do_is_told(locked_setup: Setup, admin: AdminClient) -> None:
    create_topic(admin, locked_setup.topic)
    locked_setup.kafka["sasl_username"] = "reader"
    _allow(admin, ResourceType.TOPIC, locked_setup.topic, AclOperation.DESCRIBE)
    _allow(admin, ResourceType.TOPIC, locked_setup.topic, AclOperation.DESCRIBE_CONFIGS)

    def text() -> str:
        return locked_setup.check().one("permissions").text

    lacks = f"user reader lacks READ on topic {locked_setup.topic}"
    wait_until(lambda: text() == lacks, TIMEOUT_S, "the topic to be seen")
    assert not locked_setup.check().one("dead letters").ok

    _allow(admin, ResourceType.TOPIC, locked_setup.topic, AclOperation.READ)
    for letters in (locked_setup.dead_letters, locked_setup.parked):
        _allow(admin, ResourceType.TOPIC, letters, AclOperation.CREATE)
    wait_until(lambda: locked_setup.check().exit_code == 0, TIMEOUT_S, "the permissions to suffice")


def test_where_the_settings_of_the_topics_of_letters_may_not_be_read_it_says_so_and_runs(
    locked: tuple[Kafka, Elasticsearch], tmp_path: Path, admin: AdminClient
) -> None:
    setup = Running(*locked, tmp_path, "unread")
    sasl = 'security_protocol = "sasl_plaintext"\nsasl_mechanism = "PLAIN"\n'
    setup.settings["kafka"] = f'{sasl}sasl_username = "reader"\nsasl_password = "pw"'
    setup.settings["elasticsearch"] = 'basic_auth = "elastic:s3cret-pw"'
    letters = {setup.dead_letter_topic, setup.parked_topic}
    for topic in (setup.topic("a"), *letters):
        create_topic(admin, topic)
        _allow(admin, ResourceType.TOPIC, topic, AclOperation.READ)
        _allow(admin, ResourceType.TOPIC, topic, AclOperation.WRITE)
    _allow(admin, ResourceType.GROUP, setup.group, AclOperation.READ)

    checked = command(setup, "check")
    with SinkProcess(setup) as sink:
        sink.until_ready()
        sink.until_assigned(2)
        said = {line["topic"] for line in sink.events(_UNREAD)}
        assert sink.terminate() == 0

    assert said == letters
    assert checked.out.count("DESCRIBE_CONFIGS") == len(letters)


def _allow(admin: AdminClient, kind: ResourceType, name: str, operation: AclOperation) -> None:
    rule = AclBinding(
        kind,
        name,
        ResourcePatternType.LITERAL,
        "User:reader",
        "*",
        operation,
        AclPermissionType.ALLOW,
    )
    for future in admin.create_acls([rule]).values():
        future.result(TIMEOUT_S)


def test_few_shards_left_are_told(locked_setup: Setup, client: Client) -> None:
    index = locked_setup.index  # 10 % of 12 or more shards is more than one
    client.indices.create(index=index, settings={"number_of_shards": 6, "number_of_replicas": 1})
    there = client.cluster.health()
    count = there["active_shards"] + there["unassigned_shards"] + there["initializing_shards"]

    def with_limit(limit: int | None) -> Row:
        client.cluster.put_settings(persistent={"cluster.max_shards_per_node": limit})
        return locked_setup.check().one("shards")

    try:
        few, none = with_limit(count + 1), with_limit(count)
    finally:
        client.cluster.put_settings(persistent={"cluster.max_shards_per_node": None})
        client.indices.delete(index=index)

    assert (few.level, few.text) == ("warning", f"1 of {count + 1} are left")
    assert (none.level, none.text) == ("error", f"0 of {count} are left")
    assert locked_setup.check().one("shards").level == "ok"


def test_a_red_cluster_fails(locked_setup: Setup, client: Client) -> None:
    nowhere = {"index.routing.allocation.require._name": "nobody"}
    client.indices.create(index=locked_setup.index, settings=nowhere, wait_for_active_shards=0)
    try:
        checked = locked_setup.check()
    finally:
        client.indices.delete(index=locked_setup.index)

    assert checked.one("cluster health").text.startswith("red: ")
    assert checked.exit_code == 1
