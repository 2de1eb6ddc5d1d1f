package platform

import (
	"strconv"
	"strings"
)

// statement is one SQL statement of a text, with the words that it begins with.
type statement struct {
	text  string
	words []string // upper case, without EXPLAIN [QUERY PLAN]; at most four
	// params is how many values it takes, -1 when it names its parameters.
	params int
}

// statements splits SQL at its semicolons, with the tokens of SQLite: texts,
// quoted names and comments may hold any. A trigger's body stays in one piece.
func statements(sql string) []statement {
	var out []statement
	begin := 0
	var words []string
	trigger, depth, params := false, 0, 0
	end := func(to int) {
		text := strings.TrimSpace(sql[begin:to])
		if len(words) > 0 {
			out = append(out, statement{text, leading(words), params})
		}
		words, trigger, depth, params = nil, false, 0, 0
	}
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '\'' || c == '"' || c == '`':
			i = quoted(sql, i, c)
			words = appendWord(words, "?")
		case c == '[':
			if n := strings.IndexByte(sql[i:], ']'); n >= 0 {
				i += n + 1
			} else {
				i = len(sql)
			}
			words = appendWord(words, "?")
		case strings.HasPrefix(sql[i:], "--"):
			if n := strings.IndexByte(sql[i:], '\n'); n >= 0 {
				i += n + 1
			} else {
				i = len(sql)
			}
		case strings.HasPrefix(sql[i:], "/*"):
			if n := strings.Index(sql[i+2:], "*/"); n >= 0 {
				i += n + 4
			} else {
				i = len(sql)
			}
		case c == ';' && !(trigger && depth > 0):
			end(i)
			i++
			begin = i
		case letter(c):
			j := i
			for j < len(sql) && (letter(sql[j]) || sql[j] >= '0' && sql[j] <= '9' || sql[j] == '$') {
				j++
			}
			w := strings.ToUpper(sql[i:j])
			words = appendWord(words, w)
			switch w {
			case "TRIGGER":
				trigger = trigger || len(words) <= 4 && words[0] == "CREATE"
			case "BEGIN", "CASE":
				if trigger {
					depth++
				}
			case "END":
				if depth > 0 {
					depth--
				}
			}
			i = j
		case c == '?':
			j := i + 1
			for j < len(sql) && sql[j] >= '0' && sql[j] <= '9' {
				j++
			}
			switch n, err := strconv.Atoi(sql[i+1 : j]); {
			case params < 0:
			case j == i+1:
				params++
			case err == nil:
				params = max(params, n)
			}
			words = appendWord(words, "?")
			i = j
		default:
			if (c == ':' || c == '@' || c == '$') && i+1 < len(sql) && letter(sql[i+1]) {
				params = -1
			}
			if c > ' ' {
				words = appendWord(words, string(c))
			}
			i++
		}
	}
	end(len(sql))
	return out
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

// quoted is the end of a quoted token; a doubled quote is part of it.
func quoted(sql string, i int, q byte) int {
	for i++; i < len(sql); i++ {
		if sql[i] == q {
			if i+1 < len(sql) && sql[i+1] == q {
				i++
				continue
			}
			return i + 1
		}
	}
	return i
}

func appendWord(words []string, w string) []string {
	if len(words) < 8 {
		words = append(words, w)
	}
	return words
}

// leading drops EXPLAIN and QUERY PLAN.
func leading(words []string) []string {
	for len(words) > 0 && words[0] == "EXPLAIN" {
		words = words[1:]
		if len(words) > 1 && words[0] == "QUERY" && words[1] == "PLAN" {
			words = words[2:]
		}
	}
	return words[:min(len(words), 4)]
}

// pragmas are those that only tell, or concern nothing but the caller's own
// transaction.
var pragmas = map[string]bool{
	"TABLE_INFO": true, "TABLE_XINFO": true, "TABLE_LIST": true, "INDEX_LIST": true, "INDEX_INFO": true, "INDEX_XINFO": true,
	"FOREIGN_KEY_LIST": true, "FOREIGN_KEY_CHECK": true, "QUICK_CHECK": true, "DEFER_FOREIGN_KEYS": true, "FOREIGN_KEYS": true,
	"CASE_SENSITIVE_LIKE": true, "OPTIMIZE": true,
}

// allowed judges a statement: nothing that leaves the database, changes how the
// process runs, or opens a transaction of its own.
func (s statement) allowed() error {
	if len(s.words) == 0 {
		return nil
	}
	switch s.words[0] {
	case "ATTACH", "DETACH", "VACUUM":
		return plainError("not authorized: %s is not available here: SQLITE_AUTH", s.words[0])
	case "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return plainError("To execute a transaction, please use the state.storage.transaction() or state.storage.transactionSync() APIs, or D1's batch(), instead of the SQL %s statement.", s.words[0])
	case "PRAGMA":
		if len(s.words) < 2 || !pragmas[s.words[1]] {
			return plainError("not authorized: this PRAGMA is not available here: SQLITE_AUTH")
		}
	}
	return nil
}
