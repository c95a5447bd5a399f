"""
Settings that are known but cannot be: what the sink would stumble over later is refused at load.
"""

import pytest

from tests.configuring import ROUTE, refusal

pytestmark = pytest.mark.usefixtures("empty_folder")


IMPOSSIBLE = [
    ("[kafka]\nstart = '2026-10-01T00:00:00'", "kafka.start: should be earliest, latest or an"),
    ("[kafka]\nstart = 2026-10-01", "kafka.start: should be earliest, latest or an"),
    ("[kafka]\nbootstrap_servers = ''", "kafka.bootstrap_servers: "),
    ("[kafka]\nclient = { a = [1] }", "kafka.client.a: should be text, a number, true or false"),
    ("[kafka]\nsasl_username = 'u'", "kafka: sasl_username and a password"),
    (
        "[kafka]\nsasl_username = 'u'\nsasl_password = 'p'",
        "kafka: the sasl_ settings have no effect with security_protocol plaintext",
    ),
    (
        "[kafka]\nsecurity_protocol = 'sasl_ssl'",
        "kafka: security_protocol sasl_ssl needs a sasl_mechanism",
    ),
    (
        "[kafka]\nsasl_password = 'p'\nsasl_password_file = '/p'",
        "kafka: give sasl_password or sasl_password_file, not both",
    ),
    ("[kafka]\nssl_ca_location = 'none.pem'", "kafka.ssl_ca_location: "),
    ("[elasticsearch]\nhosts = []", "elasticsearch.hosts: "),
    ("[elasticsearch]\nhosts = ['localhost:9200']", "elasticsearch.hosts: number 1 is no URL"),
    ("[elasticsearch]\nhosts = ['http://a', 'http://']", "elasticsearch.hosts: number 2 is no URL"),
    ("[elasticsearch]\nhosts = ['ftp://a']", "elasticsearch.hosts: number 1 is no URL"),
    ("[elasticsearch]\nhosts = ['http://a:99999']", "elasticsearch.hosts: number 1 is no URL"),
    ("[elasticsearch]\nhosts = ['http://a?b=c']", "elasticsearch.hosts: number 1 holds a query"),
    (
        "[elasticsearch]\napi_key = 'a'\nbasic_auth = 'b:c'",
        "elasticsearch: give one kind of credential, not api_key and basic_auth",
    ),
    (
        "[elasticsearch]\napi_key = 'a'\nclient = { bearer_auth = 'b' }",
        "elasticsearch: give one kind of credential, not api_key and client.bearer_auth",
    ),
    ("[elasticsearch]\nbasic_auth = 'root'", "elasticsearch: basic_auth (or its file) should be"),
    (
        "[bulk]\nretry_initial_ms = 500\nretry_max_ms = 400",
        "bulk: retry_initial_ms (500) is more than retry_max_ms (400)",
    ),
    ("[dead_letter]\ntopic = 'a b'", "dead_letter.topic: 'a b' is no topic name"),
    ("[dead_letter]\nreplication_factor = 0", "dead_letter.replication_factor: should be -1"),
    ("[templates]\ndir = 'nowhere'", "templates.dir: "),
    ("[status]\nport = 65536", "status.port: should be less than or equal to 65535"),
    ("routes = []", "routes: "),
    ("[routes]\nname = 'a'", "routes: is a list of tables: write [[routes]] with two brackets"),
]

IMPOSSIBLE_ROUTES = [
    ("name = 'a'", "routes[0]: give exactly one of topics, pattern, prefix, not none"),
    (
        "name = 'a'\nprefix = 'b'\ntopics = ['c']",
        "routes[0]: give exactly one of topics, pattern, prefix, not topics and prefix",
    ),
    ("name = 'a'\ntopics = ['a/b']", "routes[0].topics[0]: 'a/b' is no topic name"),
    ("name = 'a'\ntopics = ['..']", "routes[0].topics[0]: '..' is no topic name"),
    ("name = 'a'\npattern = '('", "routes[0].pattern: is no regular expression: "),
    ("prefix = 'b'", "routes[0].name: must be set"),
    ("name = 'a'\nprefix = 'b'\nid = 'md5'", "routes[0].id: should be 'offset', 'field' or 'none'"),
    (
        "name = 'a'\nprefix = 'b'\nindex = { zone = 'Mars/One' }",
        "routes[0].index.zone: 'Mars/One' is no time zone",
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { name = 'x-%Y', period = 'day', prefix = '' }",
        "routes[0].index: name is the whole name: leave out period and prefix",
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { name = 'x-%Q-%' }",
        "routes[0].index.name: unknown in a date form: %, %Q",
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { name = '{Topic}-%Y' }",
        "routes[0].index.name: {Topic} would be a field, did you mean {topic}?",
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { name = 'x-{a b}' }",
        "routes[0].index.name: 'a b' is no field, as service or kubernetes.namespace",
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { name = 'x-{a' }",
        "routes[0].index.name: a brace stands alone: write {topic}, {route} or a {field}",
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { data_stream = 'logs-a-b-%Y' }",
        "routes[0].index.data_stream: 'logs-a-b-%Y' is not of the form logs-<dataset>-<namespace>",
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { data_stream = 'logs-a-b', prefix = 'c' }",
        "routes[0].index: data_stream is the whole name: leave out prefix",
    ),
    (
        "name = 'a'\nprefix = 'b'\nop_type = 'index'\nindex = { data_stream = 'logs-a-b' }",
        'routes[0]: a data stream only takes op_type = "create"',
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { time_format = '%d' }",
        "routes[0].index: time_format is the form of time_field: set that as well",
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { time_field = 't', time_format = 'ms' }",
        "routes[0].index.time_format: 'ms' has no directive at all; a form is as",
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { new_per_hour_max = 0 }",
        "routes[0].index.new_per_hour_max: should be greater than or equal to 1",
    ),
    (
        "name = 'a'\nprefix = 'b'\nindex = { new_per_hours_max = 5 }",
        "routes[0].index.new_per_hours_max: unknown setting, did you mean new_per_hour_max?",
    ),
    (
        "name = 'a'\nprefix = 'b'\nid = 'field'",
        'routes[0]: id = "field" and id_field belong together',
    ),
    (
        "name = 'a'\nprefix = 'b'\nid_field = 'x'",
        'routes[0]: id = "field" and id_field belong together',
    ),
    (
        "name = 'a'\nprefix = 'b'\nid = 'field'\nid_field = 'x'\nversion = 'offset'",
        'routes[0]: version needs id = "field" and op_type = "index"',
    ),
    (
        "name = 'a'\nprefix = 'b'\ntime_guard = { not_before = '2030-02-30' }",
        "routes[0].time_guard.not_before: '2030-02-30' is no date, as 2000-01-01",
    ),
    (
        "name = 'a'\nprefix = 'b'\ntime_guard = { not_before = 2100-01-01 }",
        "routes[0].time_guard: not_before must be before not_after",
    ),
    (
        "name = 'a'\nprefix = 'b'\ntime_guard = { past_day = 3 }",
        "routes[0].time_guard.past_day: unknown setting, did you mean past_days?",
    ),
    (
        "name = 'a'\nprefix = 'b'\n[[routes]]\nname = 'a'\nprefix = 'c'",
        "routes: two routes are named a",
    ),
    *(
        (f"name = 'a'\nprefix = 'b'\nshape = {{ {setting} }}", f"routes[0].shape{line}")
        for setting, line in (
            ("ad = {}", ".ad: unknown setting, did you mean add?"),
            ("drop_records = { 'a b' = { x = 1 } }", ".drop_records: 'a b' is no name of a rule"),
            ("drop_records = { empty = { x = 1 } }", ".drop_records: 'empty' is no name of a rule"),
            ("drop_records = { a = {} }", ".drop_records: a: names no field, so it would drop ev"),
            ("drop_records = { a = { x = [] } }", ".drop_records: a: x: give a text, a number"),
            ("drop_records = { a = { x = [[1]] } }", ".drop_records: a: x: give a text, a number"),
            ("drop_records = { a = { 'x.' = 1 } }", ".drop_records: 'x.' is no name of a field"),
            ("drop = ['@timestamp']", ".drop: @timestamp stays: Kibana and data streams need it"),
            ("keep = ['']", ".keep: '' is no name of a field"),
            ("rename = { a = 'c', b = 'c' }", ".rename: two fields are renamed to c"),
            ("rename = { a = '@timestamp' }", ".rename: @timestamp is made of the document's time"),
            ("add = { a = nan }", ".add: a: Elasticsearch takes no such value"),
            ("add = { a = [inf] }", ".add: a: Elasticsearch takes no such value"),
            ("add = { a = 9223372036854775808 }", ".add: a: 9223372036854775808 is beyond"),
            ("metadata = { a = 'value' }", ".metadata: a: 'value' is nothing that is known of a r"),
            ("metadata = { a = 'headers.' }", ".metadata: a: 'headers.' is nothing that is known"),
            ("add = { a = 1 }, metadata = { a = 'key' }", ": a: is in add and in metadata"),
        )
    ),
    ("name = 'a'\nprefix = 'b'\nrepair = 'all'", "routes[0].repair: should be 'none' or"),
    ("name = 'all'\npattern = '.*'", "dead_letter.topic: route all reads sink-dlq.log-sink"),
    ("name = 'all'\nprefix = 'sink-'", "dead_letter.topic: route all reads sink-dlq.log-sink"),
    (
        "name = 'one'\ntopics = ['sink-dlq.log-sink']",
        "dead_letter.topic: route one reads sink-dlq.log-sink",
    ),
]


@pytest.mark.parametrize(("text", "line"), IMPOSSIBLE)
def test_an_impossible_setting_is_refused(text: str, line: str) -> None:
    lines = refusal(text + "\n" + (ROUTE if "routes" not in text else ""))

    assert len(lines) == 1
    assert lines[0].startswith(f"file sink.toml: {line}")


@pytest.mark.parametrize(("text", "line"), IMPOSSIBLE_ROUTES)
def test_an_impossible_route_is_refused(text: str, line: str) -> None:
    lines = refusal("[[routes]]\n" + text)

    assert len(lines) == 1
    assert lines[0].startswith(f"file sink.toml: {line}")
