package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// What argon2id costs: 19 MiB and two passes, as OWASP asks for.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonKey     = 32 // bytes
)

// hashing lets two passwords be hashed at a time, so that a crowd at the door
// cannot fill the memory.
var hashing = make(chan struct{}, 2)

func argon(password string, salt []byte, memory, time uint32, threads uint8, size int) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, time, memory, threads, uint32(size))
}

// hashPassword gives the PHC text of a new hash of a password.
func hashPassword(password string) string {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails: it ends the program instead
	key := argon(password, salt, argonMemory, argonTime, argonThreads, argonKey)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64(salt), b64(key))
}

// checkPassword reports whether a password is that of a hash. A hash that
// cannot be read, and the empty one of an account nobody has used yet, take as
// long and are never right.
func checkPassword(stored, password string) bool {
	parts := strings.Split(stored, "$")
	var memory, time uint32
	var threads uint8
	var version int
	readable := len(parts) == 6 && parts[0] == "" && parts[1] == "argon2id"
	if readable {
		_, err1 := fmt.Sscanf(parts[2], "v=%d", &version)
		_, err2 := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads)
		readable = err1 == nil && err2 == nil && version == argon2.Version && memory <= 1<<20 && time > 0 && time <= 16 && threads > 0
	}
	var salt, key []byte
	if readable {
		var err1, err2 error
		salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
		key, err2 = base64.RawStdEncoding.DecodeString(parts[5])
		readable = err1 == nil && err2 == nil && len(salt) >= 8 && len(key) >= 16
	}
	if !readable {
		argon(password, make([]byte, 16), argonMemory, argonTime, argonThreads, argonKey)
		return false
	}
	return subtle.ConstantTimeCompare(key, argon(password, salt, memory, time, threads, len(key))) == 1
}
