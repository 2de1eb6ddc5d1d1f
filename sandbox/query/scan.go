package query

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// statement is one SQL statement of a text, with the words that it begins with.
type statement struct {
	text  string
	words []string // upper case, without EXPLAIN [QUERY PLAN]; at most four
	// params is how many values it takes, -1 when it both counts and names them.
	params int
	names  []string // of its parameters when all have one, in order, without their sign
	// module is what follows its first USING, upper case, "?" if that is quoted; of a virtual table, its kind.
	module string
	// refused is the first function in it that is not available, as written; none if "".
	refused string
}

// functions are those of this SQLite that Workers' has not, and what they are told.
var functions = map[string]string{
	"SQLITE_VERSION": "not authorized to use function", "SQLITE_SOURCE_ID": "not authorized to use function",
	"SQLITE_COMPILEOPTION_GET": "not authorized to use function", "SQLITE_COMPILEOPTION_USED": "not authorized to use function",
	"SQLITE_OFFSET": "no such function", "SOUNDEX": "no such function",
}

// statements splits SQL at its semicolons, with the tokens of SQLite: texts,
// quoted names and comments may hold any. A trigger's body stays in one piece.
// What holds no statement, beside white space at the end, is one without words.
func statements(sql string) []statement {
	var out []statement
	begin := 0
	var words []string
	last, module := "", ""
	word := func(w string) {
		if last == "USING" && module == "" {
			module = w
		}
		words, last = appendWord(words, w), w
	}
	trigger, depth, params := false, 0, 0
	var names []string
	refused := ""
	end := func(to int) {
		text := strings.TrimSpace(sql[begin:to])
		if len(words) > 0 || text != "" || to < len(sql) {
			if len(names) > 0 && params > 0 {
				params = -1
			} else if len(names) > 0 {
				params = len(names)
			}
			out = append(out, statement{text, leading(words), params, names, module, refused})
		}
		words, last, module, trigger, depth, params, names, refused = nil, "", "", false, 0, 0, nil, ""
	}
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '\'' || c == '"' || c == '`':
			i = quoted(sql, i, c)
			word("?")
		case c == '[':
			if n := strings.IndexByte(sql[i:], ']'); n >= 0 {
				i += n + 1
			} else {
				i = len(sql)
			}
			word("?")
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
			word(w)
			if refused == "" && functions[w] != "" && strings.HasPrefix(strings.TrimLeft(sql[j:], " \t\r\n"), "(") {
				refused = sql[i:j]
			}
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
			case j == i+1:
				params++
			case err == nil:
				params = max(params, n)
			}
			word("?")
			i = j
		default:
			j := i + 1
			if c == ':' || c == '@' || c == '$' {
				for j < len(sql) && (letter(sql[j]) || sql[j] >= '0' && sql[j] <= '9') {
					j++
				}
				if name := sql[i+1 : j]; name != "" && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
			if c > ' ' {
				word(string(c))
			}
			i = j
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
	refused := plainError("not authorized: SQLITE_AUTH")
	switch s.words[0] {
	case "ATTACH", "DETACH":
		return refused
	case "VACUUM":
		return plainError("cannot VACUUM from within a transaction: SQLITE_ERROR")
	case "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return plainError("To execute a transaction, please use the state.storage.transaction() or state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. The JavaScript API is safer because it will automatically roll back on exceptions, and because it interacts correctly with Durable Objects' automatic atomic write coalescing.")
	case "PRAGMA":
		if len(s.words) < 2 || !pragmas[s.words[1]] {
			return refused
		}
	case "CREATE":
		if len(s.words) > 1 && (s.words[1] == "TEMP" || s.words[1] == "TEMPORARY" || s.words[1] == "VIRTUAL" && !fullText[s.module]) ||
			slices.ContainsFunc(s.words, func(w string) bool { return strings.HasPrefix(w, "_CF_") }) {
			return refused
		}
	}
	if s.refused != "" {
		return plainError("%s: %s%s: SQLITE_ERROR", functions[strings.ToUpper(s.refused)], s.refused, at(strings.Index(s.text, s.refused)))
	}
	return nil
}

// fullText are the modules of virtual tables that Workers allow.
var fullText = map[string]bool{"FTS5": true, "FTS5VOCAB": true}

// at is a place in a statement as Workers' errors name it; none below 0.
func at(offset int) string {
	if offset < 0 {
		return ""
	}
	return " at offset " + strconv.Itoa(offset)
}

// named finds what SQLite says about something that a statement names.
var named = regexp.MustCompile(`^(?:no such column: |ambiguous column name: |no such function: |wrong number of arguments to function |misuse of aggregate: |(?:table|view) )("?[^\s"()]+"?)(\(\)| already exists)?$`)

// offset finds the place that an error message speaks of, -1 if it names none.
// wrong tells whether the start of the statement up to there gives the same message.
func (s statement) offset(message string, wrong func(start string) bool) int {
	if t, ok := strings.CutPrefix(message, "unrecognized token: \""); ok {
		return strings.Index(s.text, strings.TrimSuffix(t, "\""))
	}
	if t, ok := strings.CutPrefix(message, "near \""); ok {
		t, ok = strings.CutSuffix(t, "\": syntax error")
		for i, tries := 0, 0; ok && t != "" && tries < 32; tries++ {
			n := strings.Index(s.text[i:], t)
			if n < 0 {
				break
			}
			if i += n; wrong(s.text[:i+len(t)]) {
				return i
			}
			i++
		}
		return -1
	}
	m := named.FindStringSubmatch(message)
	if m == nil {
		return -1
	}
	text := strings.ToLower(s.text)
	name := strings.Trim(strings.ToLower(m[1]), `"`)
	for i := 0; ; {
		n := strings.Index(text[i:], name)
		if n < 0 {
			return -1
		}
		i += n
		end := i + len(name)
		if (i == 0 || !letter(text[i-1]) && text[i-1] != '.') && (end == len(text) || !letter(text[end])) {
			if where := strings.Index(text, "where"); strings.HasPrefix(text, "update") && (where < 0 || i < where) {
				return -1 // SQLite names no place in what is set
			}
			if i > 0 && strings.IndexByte("[\"`", text[i-1]) >= 0 {
				i--
			}
			return i
		}
		i++
	}
}
