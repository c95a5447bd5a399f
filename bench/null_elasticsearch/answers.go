package main

import (
	"bytes"
	"fmt"
	"strings"
)

// verdict is what becomes of a document: an index into the items of an answer.
type verdict int

const (
	created verdict = iota
	rejected
	blocked
)

// wholeItems are the items of an answer, by verdict. The two for a refusal are as 8.19 gives them.
var wholeItems = []string{
	`{%q:{"_index":"null","_id":"0","_version":1,"result":"created","_seq_no":0,"_primary_term":1,"status":201}},`,
	`{%q:{"_index":"null","_id":"0","status":400,"error":{"type":"document_parsing_exception","reason":"[1:1] failed to parse"}}},`,
	`{%q:{"_index":"null","_id":"0","status":403,"error":{"type":"cluster_block_exception","reason":"index [null] blocked by: [FORBIDDEN/8/index write (api)];"}}},`,
}

// filteredItems are what filter_path=…,items.*.status,items.*.error leaves of them.
var filteredItems = []string{
	`{%q:{"status":201}},`,
	`{%q:{"status":400,"error":{"type":"document_parsing_exception","reason":"[1:1] failed to parse"}}},`,
	`{%q:{"status":403,"error":{"type":"cluster_block_exception","reason":"index [null] blocked by: [FORBIDDEN/8/index write (api)];"}}},`,
}

// answers are the bodies of the requests that a client makes beside its bulks.
var answers = map[string]string{
	"/": `{"name":"null","cluster_name":"null","cluster_uuid":"AAAAAAAAAAAAAAAAAAAAAA","version":{"number":"8.19.0",` +
		`"build_flavor":"default","build_type":"tar","build_hash":"0","build_date":"2025-01-01T00:00:00.000Z",` +
		`"build_snapshot":false,"lucene_version":"9.12.1","minimum_wire_compatibility_version":"7.17.0",` +
		`"minimum_index_compatibility_version":"7.0.0"},"tagline":"You Know, for Search"}`,
	"/_cluster/health": `{"cluster_name":"null","status":"green","timed_out":false,"number_of_nodes":1,` +
		`"number_of_data_nodes":1,"active_shards":0,"unassigned_shards":0}`,
	"/_license":            `{"license":{"status":"active","type":"basic"}}`,
	"/_index_template":     `{"index_templates":[]}`,
	"/_component_template": `{"component_templates":[]}`,
}

// bulkAnswer renders the answer as filter_path asks for it, like Elasticsearch's response filtering.
func bulkAnswer(operation, filter string, verdicts []verdict) []byte {
	forms := wholeItems
	if strings.Contains(filter, "items.*.status") {
		forms = filteredItems
	}
	rendered := make([]string, len(forms))
	for i, form := range forms {
		rendered[i] = fmt.Sprintf(form, operation)
	}
	var items bytes.Buffer
	items.Grow(len(verdicts) * len(rendered[created]))
	failed := false
	for _, each := range verdicts {
		items.WriteString(rendered[each])
		failed = failed || each != created
	}
	took := `"took":1,`
	if filter != "" && !strings.Contains(filter, "took") {
		took = ""
	}
	list := bytes.TrimSuffix(items.Bytes(), []byte{','})
	return []byte(fmt.Sprintf(`{%s"errors":%t,"items":[%s]}`, took, failed, list))
}
