// Command null_elasticsearch answers like an Elasticsearch that indexes everything at once: it
// counts documents, stores nothing, and so costs little beside the program that is measured.
//
// GET /_null/stats gives its counters as JSON; with ?docs=N&wait=500ms it answers when N documents
// have come or the wait is over, so that a measurement needs no polling. GET /_null/delays gives how
// late the documents of -marked were answered since the last call.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"time"
)

type settings struct {
	strict bool          // every line must be a JSON object, every action name its operation
	delay  time.Duration // how long a bulk waits for its answer
	stall  time.Duration // nothing is answered for so long at the end of each ten times as long
	reject int64         // each document of this number gets a mapping error; 0: none
	apart  string        // documents of indices that begin like this are counted apart; "": none
	block  bool          // and are refused: such an index is under a write block
	refuse int64         // documents whose number is a multiple get a mapping error; 0: none
	marked bool          // documents carry a number of their own, or the time they were due
}

// stats holds what has been counted. Names and units are those of the JSON.
type stats struct {
	Docs     int64 `json:"docs"` // without those of -apart
	Bulks    int64 `json:"bulks"`
	Bytes    int64 `json:"bytes"`
	Bad      int64 `json:"bad"` // lines or bulks that a real server would refuse
	Rejected int64 `json:"rejected"`
	Apart    int64 `json:"apart"`    // of the indices of -apart: taken
	Blocked  int64 `json:"blocked"`  // of the indices of -apart: refused
	Distinct int64 `json:"distinct"` // numbers of documents that were taken, with -marked
	Refused  int64 `json:"refused"`  // numbers of documents that were refused by -refuse
	FirstNs  int64 `json:"first_ns"` // arrival of the first bulk, Unix time
	LastNs   int64 `json:"last_ns"`  // answer to the last bulk with one of docs, Unix time
}

type waiter struct {
	docs int64
	done chan struct{}
}

// server counts under one lock: it is taken a few times a bulk, not once a document.
type server struct {
	settings
	marks
	mu      sync.Mutex
	counted stats
	waiters []waiter
}

// buffers keeps request bodies from being allocated anew: at 2.6 MB each that would be most of
// the server's cost.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (s *server) bulk(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	body := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.Header.Get("Content-Encoding") != "" {
		http.Error(w, "null_elasticsearch reads plain bodies only", http.StatusUnsupportedMediaType)
		return
	}
	lines := bytes.Count(body.Bytes(), []byte{'\n'})
	bad := s.badLines(body.Bytes(), lines)
	time.Sleep(s.delay)
	time.Sleep(s.stalled(time.Now()))
	// Only create and index, which have two lines a document, are ever sent to it.
	verdicts := s.count(arrived, s.look(body.Bytes(), lines/2), int64(body.Len()), bad)
	answer := bulkAnswer(operation(body.Bytes()), r.URL.Query().Get("filter_path"), verdicts)
	w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
	if s.marked {
		s.delays.note(body.Bytes(), time.Now())
	}
	w.Write(answer)
}

// stalled tells how long the stall lasts that a moment lies in; 0: it lies in none.
func (s *server) stalled(now time.Time) time.Duration {
	if s.stall == 0 {
		return 0
	}
	period := 10 * s.stall
	left := period - time.Duration(now.UnixNano())%period
	if left > s.stall {
		return 0
	}
	return left
}

// badLines counts what a real server would refuse; without -strict only an odd number of lines.
func (s *server) badLines(body []byte, lines int) (bad int64) {
	if lines%2 != 0 || !bytes.HasSuffix(body, []byte{'\n'}) {
		bad++
	}
	if !s.strict {
		return bad
	}
	for i, line := range bytes.Split(bytes.TrimSuffix(body, []byte{'\n'}), []byte{'\n'}) {
		object := bytes.HasPrefix(line, []byte{'{'}) && json.Valid(line)
		if !object || i%2 == 0 && operation(line) == "" {
			bad++
		}
	}
	return bad
}

// operation names the operation of an action line: "" is none of them.
func operation(line []byte) string {
	for _, name := range []string{"create", "index"} {
		if bytes.HasPrefix(line, []byte(`{"`+name+`"`)) {
			return name
		}
	}
	return ""
}

// count adds a bulk and gives the verdict on each of its documents.
func (s *server) count(arrived time.Time, kinds []kind, size, bad int64) []verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	verdicts := make([]verdict, len(kinds))
	before := s.counted.Docs
	for i := range verdicts {
		verdicts[i] = s.verdict(kinds[i])
	}
	if s.counted.Bulks == 0 {
		s.counted.FirstNs = arrived.UnixNano()
	}
	s.counted.Bulks++
	s.counted.Bytes += size
	s.counted.Bad += bad
	if s.counted.Docs > before {
		s.counted.LastNs = time.Now().UnixNano()
	}
	s.wake()
	return verdicts
}

// verdict counts a document and tells what becomes of it. The caller holds the lock.
func (s *server) verdict(one kind) verdict {
	switch {
	case one == apart && s.block:
		s.counted.Blocked++
		return blocked
	case one == apart:
		s.counted.Apart++
		return created
	}
	s.counted.Docs++
	if one == refused || s.reject > 0 && s.counted.Docs%s.reject == 0 {
		s.counted.Rejected++
		return rejected
	}
	return created
}

// wake answers the waiters whose number of documents has come. The caller holds the lock.
func (s *server) wake() {
	left := s.waiters[:0]
	for _, each := range s.waiters {
		if s.counted.Docs >= each.docs {
			close(each.done)
		} else {
			left = append(left, each)
		}
	}
	s.waiters = left
}

// report answers the counters, at once or when the documents asked for have come.
func (s *server) report(w http.ResponseWriter, r *http.Request) {
	var docs int64
	fmt.Sscan(r.FormValue("docs"), &docs)
	wait, _ := time.ParseDuration(r.FormValue("wait"))
	done := make(chan struct{})
	s.mu.Lock()
	s.waiters = append(s.waiters, waiter{docs, done})
	s.wake()
	s.mu.Unlock()
	select {
	case <-done:
	case <-time.After(wait):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted.Distinct, s.counted.Refused = s.numbers()
	json.NewEncoder(w).Encode(s.counted)
}

// other answers everything that is neither a bulk nor a question for the counters: what exists is
// in the table, any other thing does not exist, and any change is acknowledged.
func (s *server) other(w http.ResponseWriter, r *http.Request) {
	log.Printf("%s %s", r.Method, r.URL)
	io.Copy(io.Discard, r.Body)
	body, known := answers[r.URL.Path]
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case known:
		io.WriteString(w, body)
	case reads:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"error":{"type":"resource_not_found_exception","reason":%q},"status":404}`, r.URL.Path)
	default:
		io.WriteString(w, `{"acknowledged":true}`)
	}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/vnd.elasticsearch+json;compatible-with=8")
	switch {
	case strings.HasSuffix(r.URL.Path, "/_bulk"):
		s.bulk(w, r)
	case r.URL.Path == "/_null/stats":
		s.report(w, r)
	case r.URL.Path == "/_null/delays":
		s.delays.report(w)
	default:
		s.other(w, r)
	}
}

func main() {
	s := &server{}
	addr := flag.String("addr", "127.0.0.1:9200", "address to listen on")
	flag.BoolVar(&s.strict, "strict", false, "count lines that are no JSON object as bad")
	flag.DurationVar(&s.delay, "delay", 0, "wait before each answer to a bulk")
	flag.DurationVar(&s.stall, "stall", 0, "answer nothing so long at the end of each ten times as long")
	flag.Int64Var(&s.reject, "reject", 0, "every Nth document gets a mapping error")
	flag.StringVar(&s.apart, "apart", "", "count documents of indices with this prefix apart")
	flag.BoolVar(&s.block, "block", false, "refuse the documents that are counted apart")
	flag.Int64Var(&s.refuse, "refuse", 0, "documents with a multiple of this number get a mapping error")
	flag.BoolVar(&s.marked, "marked", false, "read what documents carry: a number, the time they were due")
	flag.Parse()
	log.Fatal(http.ListenAndServe(*addr, s))
}
