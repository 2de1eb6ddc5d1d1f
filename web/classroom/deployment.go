package classroom

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
)

// Deployment is the built form of a project that answers on its public URL.
type Deployment struct {
	Revision int64  // of the project it was built from
	Source   string // hash of what it was built from; the caller's choice
	Bundle   []byte // the built Workers; the caller's encoding, at most maxBundle bytes
	Deployed time.Time
}

// maxBundle bounds what is unpacked from the database: code, source map,
// assets and modules of several Workers.
const maxBundle = 64 << 20

// SaveDeployment makes d the project's deployment. Equal bundles are stored once.
func (s *Store) SaveDeployment(ctx context.Context, workspace, id string, d Deployment) error {
	sum := sha256.Sum256(d.Bundle)
	name := hex.EncodeToString(sum[:])
	data, err := pack(d.Bundle)
	if err != nil {
		return fmt.Errorf("save deployment of %q: %w", id, err)
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO bundles (hash, data) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`, name, data); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO deployments (workspace, project, revision, source_hash, bundle, deployed_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (workspace, project) DO UPDATE SET revision = excluded.revision, source_hash = excluded.source_hash, bundle = excluded.bundle, deployed_at = excluded.deployed_at`,
			workspace, id, d.Revision, d.Source, name, s.millis())
		if err != nil {
			return err
		}
		return dropBundles(ctx, tx)
	}, workspace, bundles)
	if err != nil {
		return fmt.Errorf("save deployment of %q: %w", id, err)
	}
	return nil
}

// bundles is the owner of the table of bundles: whoever adds or drops one waits
// for the others who do.
const bundles = "bundles"

// dropBundles removes bundles that no deployment uses any more.
func dropBundles(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM bundles WHERE NOT EXISTS (SELECT 1 FROM deployments WHERE deployments.bundle = bundles.hash)`)
	return err
}

// Deployment loads a project's deployment, or returns ErrNotFound.
func (s *Store) Deployment(ctx context.Context, workspace, id string) (Deployment, error) {
	var d Deployment
	var at int64
	var data string
	err := s.read.QueryRowContext(ctx, `SELECT d.revision, d.source_hash, d.deployed_at, b.data FROM deployments d JOIN bundles b ON b.hash = d.bundle WHERE d.workspace = $1 AND d.project = $2`, workspace, id).
		Scan(&d.Revision, &d.Source, &at, &data)
	if err == nil {
		d.Deployed = fromMillis(at)
		d.Bundle, err = unpack(data)
	}
	if err != nil {
		return Deployment{}, fmt.Errorf("load deployment of %q: %w", id, reason(err))
	}
	return d, nil
}

func pack(b []byte) (string, error) {
	if len(b) > maxBundle {
		return "", fmt.Errorf("bundle of %d MB is over %d MB", len(b)>>20, maxBundle>>20)
	}
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(b); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(buf.Bytes()), nil
}

func unpack(data string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, maxBundle+1))
	if err == nil && len(b) > maxBundle {
		err = errors.New("bundle is larger than it may be")
	}
	return b, err
}
