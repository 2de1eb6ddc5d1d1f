package trace

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// ObjectIDHalf is how many of the 64 hex digits of a Durable Object's id tell
// objects of a class apart. The others follow from them and from the namespace.
const ObjectIDHalf = 32

// ObjectID is the id of an object of a Worker's class whose first half is given,
// as hex digits. The second half shows that it belongs to that namespace.
func ObjectID(worker, class, half string) string {
	return half + digest(worker+"\n"+class, half)
}

// NamedObjectID is the id of the object that a Worker's class has for a name.
// Its first half depends on class and name alone.
func NamedObjectID(worker, class, name string) string {
	return ObjectID(worker, class, digest("\n"+class, name))
}

// digest is half an id, made of a text with a key.
func digest(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))[:ObjectIDHalf]
}
