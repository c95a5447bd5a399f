package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sort"
	"strconv"
	"sync"
	"time"
)

// kind is what must be known of a document before it is judged.
type kind byte

const (
	ordinary kind = iota
	apart         // its index is one of -apart
	refused       // its number is one of -refuse
)

// What documents carry with -marked. Text, not numbers: some programs turn 200 into 200.0.
var (
	numberMark = []byte(`"number":"`)
	dueMark    = []byte(`"due_ns":"`)
)

// marks is what has been read from documents.
type marks struct {
	delays   delays
	lock     sync.Mutex
	taken    map[int64]bool
	declined map[int64]bool
}

// look tells of each document what kind it is, and notes its number.
func (s *server) look(body []byte, docs int) []kind {
	kinds := make([]kind, docs)
	if s.apart == "" && !s.marked {
		return kinds
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	mark := []byte(`{"_index":"` + s.apart)
	for i := range kinds {
		action, rest, _ := bytes.Cut(body, []byte{'\n'})
		document, left, _ := bytes.Cut(rest, []byte{'\n'})
		body = left
		if s.marked {
			kinds[i] = s.noteNumber(document)
		} else if _, target, _ := bytes.Cut(action, []byte{':'}); bytes.HasPrefix(target, mark) {
			kinds[i] = apart
		}
	}
	return kinds
}

// noteNumber reads the number of a document, if it has one. The caller holds the lock.
func (s *server) noteNumber(document []byte) kind {
	number, known := textAfter(document, numberMark)
	if !known {
		return ordinary
	}
	if s.taken == nil {
		s.taken, s.declined = map[int64]bool{}, map[int64]bool{}
	}
	if s.refuse > 0 && number%s.refuse == 0 {
		s.declined[number] = true
		return refused
	}
	s.taken[number] = true
	return ordinary
}

// numbers counts the numbers that were taken and the ones that were refused.
func (m *marks) numbers() (taken, declined int64) {
	m.lock.Lock()
	defer m.lock.Unlock()
	return int64(len(m.taken)), int64(len(m.declined))
}

// delays keeps how long after it was due each document was answered, in µs.
type delays struct {
	mu sync.Mutex
	us []int64
}

// note reads when the documents of a bulk were due. The clock is the machine's wall clock, as it
// is for the program that wrote the time: both must run on one machine.
func (d *delays) note(body []byte, now time.Time) {
	var late []int64
	for {
		due, known := textAfter(body, dueMark)
		if !known {
			break
		}
		late = append(late, (now.UnixNano()-due)/1000)
		body = body[bytes.Index(body, dueMark)+len(dueMark):]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.us = append(d.us, late...)
}

// report answers the percentiles of what came since the last call, in ms, and begins anew.
func (d *delays) report(w http.ResponseWriter) {
	d.mu.Lock()
	us := d.us
	d.us = nil
	d.mu.Unlock()
	sort.Slice(us, func(a, b int) bool { return us[a] < us[b] })
	at := func(share float64) float64 {
		if len(us) == 0 {
			return 0
		}
		return float64(us[int(share*float64(len(us)-1))]) / 1000
	}
	json.NewEncoder(w).Encode(map[string]any{
		"documents": len(us), "p50_ms": at(0.5), "p90_ms": at(0.9), "p99_ms": at(0.99), "max_ms": at(1),
	})
}

// textAfter reads the digits that follow a mark.
func textAfter(text, mark []byte) (int64, bool) {
	at := bytes.Index(text, mark)
	if at < 0 {
		return 0, false
	}
	digits, _, _ := bytes.Cut(text[at+len(mark):], []byte{'"'})
	number, err := strconv.ParseInt(string(digits), 10, 64)
	return number, err == nil
}
