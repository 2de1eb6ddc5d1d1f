// Command check reads what stands in deploy as the tools that it is meant for
// would: the compose file through Compose's own loader and schema, each
// Kubernetes manifest strictly into Kubernetes' own types; then it looks at what
// no schema knows, such as that names which refer to each other are the same.
// It is a module of its own so that nothing of it is in the product's graph.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	dir := ".."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	err := errors.Join(compose(filepath.Join(dir, "compose.yaml")), kubernetes(filepath.Join(dir, "kubernetes")))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("deploy: compose file and manifests are valid")
}

// compose loads the file as docker compose does.
func compose(path string) error {
	p, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir: filepath.Dir(path), ConfigFiles: []types.ConfigFile{{Filename: path}},
		Environment: types.Mapping{"COLDSTART_DB_PASSWORD": "secret", "COLDSTART_PUBLIC_URL": "https://learn.example.org"},
	}, func(o *loader.Options) { o.SetProjectName("coldstart", true) })
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	site, err := p.GetService("coldstart")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !site.ReadOnly || !slices.Contains(site.CapDrop, "ALL") || !slices.Contains(site.SecurityOpt, "no-new-privileges:true") {
		return fmt.Errorf("%s: the site must have a read-only root, no capabilities and no new privileges", path)
	}
	if site.Privileged || len(site.CapAdd) > 0 || len(site.Devices) > 0 || site.NetworkMode == "host" || site.Pid == "host" || site.Ipc == "host" || site.UserNSMode == "host" || site.User == "root" || site.User == "0" || slices.ContainsFunc(site.SecurityOpt, func(o string) bool { return strings.Contains(o, "unconfined") }) {
		return fmt.Errorf("%s: the site must have no privileges, capabilities, devices or namespaces of the host, and the engine's own seccomp filter", path)
	}
	if site.PidsLimit < 1 || site.MemLimit < 1 || len(site.Tmpfs) == 0 {
		return fmt.Errorf("%s: the site must have limits on processes and memory, and a tmpfs for /tmp", path)
	}
	for _, port := range site.Ports {
		if port.HostIP != "127.0.0.1" { // the site believes what a proxy on this machine says of its visitors
			return fmt.Errorf("%s: port %s is open to the network", path, port.Published)
		}
	}
	for _, v := range site.Volumes {
		if v.Type != types.VolumeTypeVolume {
			return fmt.Errorf("%s: the site mounts %s of the host", path, v.Source)
		}
	}
	return nil
}

// manifests are what the folder holds, by kind and name.
type manifests struct {
	deployments map[string]appsv1.Deployment
	services    map[string]corev1.Service
	budgets     map[string]policyv1.PodDisruptionBudget
	ingresses   map[string]networkingv1.Ingress
	secrets     map[string]corev1.Secret
}

type kustomization struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Resources  []string `json:"resources"`
	Labels     []struct {
		Pairs            map[string]string `json:"pairs"`
		IncludeSelectors bool              `json:"includeSelectors,omitempty"`
	} `json:"labels,omitempty"`
	Images []struct {
		Name    string `json:"name"`
		NewName string `json:"newName,omitempty"`
		NewTag  string `json:"newTag,omitempty"`
	} `json:"images,omitempty"`
}

func kubernetes(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("%s: no manifests: %w", dir, err)
	}
	m := manifests{map[string]appsv1.Deployment{}, map[string]corev1.Service{}, map[string]policyv1.PodDisruptionBudget{}, map[string]networkingv1.Ingress{}, map[string]corev1.Secret{}}
	var k kustomization
	var files []string
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Base(path) == "kustomization.yaml" {
			if err := yaml.UnmarshalStrict(data, &k); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			continue
		}
		files = append(files, filepath.Base(path))
		for _, doc := range bytes.Split(data, []byte("\n---\n")) {
			if err := m.add(doc); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	for _, name := range k.Resources {
		if !slices.Contains(files, name) {
			return fmt.Errorf("%s: kustomization.yaml names %s, which is not there", dir, name)
		}
	}
	for _, name := range files {
		if !slices.Contains(k.Resources, name) && !strings.HasSuffix(name, ".example.yaml") {
			return fmt.Errorf("%s: kustomization.yaml does not name %s", dir, name)
		}
	}
	return m.check()
}

// add decodes one document strictly: an unknown field is an error.
func (m *manifests) add(doc []byte) error {
	var kind struct {
		Kind string `json:"kind"`
	}
	if err := yaml.Unmarshal(doc, &kind); err != nil {
		return err
	}
	switch kind.Kind {
	case "Deployment":
		return put(doc, m.deployments, func(d appsv1.Deployment) (string, string) { return d.APIVersion, d.Name }, "apps/v1")
	case "Service":
		return put(doc, m.services, func(s corev1.Service) (string, string) { return s.APIVersion, s.Name }, "v1")
	case "PodDisruptionBudget":
		return put(doc, m.budgets, func(b policyv1.PodDisruptionBudget) (string, string) { return b.APIVersion, b.Name }, "policy/v1")
	case "Ingress":
		return put(doc, m.ingresses, func(i networkingv1.Ingress) (string, string) { return i.APIVersion, i.Name }, "networking.k8s.io/v1")
	case "Secret":
		return put(doc, m.secrets, func(s corev1.Secret) (string, string) { return s.APIVersion, s.Name }, "v1")
	}
	return fmt.Errorf("a manifest of kind %q is not known here", kind.Kind)
}

func put[T any](doc []byte, into map[string]T, id func(T) (version, name string), want string) error {
	var one T
	if err := yaml.UnmarshalStrict(doc, &one); err != nil {
		return err
	}
	version, name := id(one)
	if version != want || name == "" {
		return fmt.Errorf("apiVersion %q and name %q; want %q and a name", version, name, want)
	}
	into[name] = one
	return nil
}

// check looks at what belongs together.
func (m *manifests) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(m.deployments) == 0 {
		bad("there is no Deployment")
	}
	for name, d := range m.deployments {
		pod := d.Spec.Template
		if !subset(d.Spec.Selector.MatchLabels, pod.Labels) {
			bad("Deployment %s does not select its own pods", name)
		}
		volumes := map[string]bool{}
		for _, v := range pod.Spec.Volumes {
			volumes[v.Name] = true
			if v.HostPath != nil {
				bad("pods of %s mount %s of the host", name, v.HostPath.Path)
			}
		}
		if m := pod.Spec.AutomountServiceAccountToken; m == nil || *m {
			bad("pods of %s hold a key to the cluster", name)
		}
		for _, c := range pod.Spec.Containers {
			s := c.SecurityContext
			if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Capabilities == nil || !slices.Contains(s.Capabilities.Drop, "ALL") {
				bad("container %s must have a read-only root, no capabilities and no way to more privileges", c.Name)
			}
			if s != nil && (s.Privileged != nil && *s.Privileged || s.Capabilities != nil && len(s.Capabilities.Add) > 0) || pod.Spec.HostNetwork || pod.Spec.HostPID || pod.Spec.HostIPC {
				bad("container %s has privileges, capabilities or namespaces of the host", c.Name)
			}
			if c.Resources.Limits.Memory().IsZero() {
				bad("container %s has no limit on memory", c.Name)
			}
			if p := pod.Spec.SecurityContext; p == nil || p.SeccompProfile == nil || p.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
				bad("pods of %s do not have the engine's seccomp filter", name)
			}
			if p := pod.Spec.SecurityContext; p == nil || p.RunAsNonRoot == nil || !*p.RunAsNonRoot || p.RunAsUser == nil || *p.RunAsUser == 0 || s != nil && s.RunAsUser != nil && *s.RunAsUser == 0 {
				bad("pods of %s may run as root", name)
			}
			if c.ReadinessProbe == nil || c.ReadinessProbe.HTTPGet == nil || c.ReadinessProbe.HTTPGet.Path != "/readyz" || c.LivenessProbe == nil || c.LivenessProbe.HTTPGet == nil || c.LivenessProbe.HTTPGet.Path != "/healthz" {
				bad("container %s is not probed at /readyz and /healthz", c.Name)
			}
			for _, v := range c.VolumeMounts {
				if !volumes[v.Name] {
					bad("container %s mounts %s, which no volume is", c.Name, v.Name)
				}
			}
			for _, e := range c.Env {
				if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil {
					continue
				}
				ref := e.ValueFrom.SecretKeyRef
				if _, ok := m.secrets[ref.Name].StringData[ref.Key]; !ok {
					bad("%s comes from the key %s of the Secret %s, which no example shows", e.Name, ref.Key, ref.Name)
				}
			}
		}
	}
	selected := func(what string, labels map[string]string) {
		for _, d := range m.deployments {
			if subset(labels, d.Spec.Template.Labels) {
				return
			}
		}
		bad("%s selects no pods", what)
	}
	for name, s := range m.services {
		selected("Service "+name, s.Spec.Selector)
	}
	for name, b := range m.budgets {
		selected("PodDisruptionBudget "+name, b.Spec.Selector.MatchLabels)
	}
	for name, i := range m.ingresses {
		for _, r := range i.Spec.Rules {
			for _, p := range r.HTTP.Paths {
				if _, ok := m.services[p.Backend.Service.Name]; !ok {
					bad("Ingress %s sends to the Service %s, which is not there", name, p.Backend.Service.Name)
				}
			}
		}
	}
	return errors.Join(errs...)
}

func subset(part, whole map[string]string) bool {
	for k, v := range part {
		if whole[k] != v {
			return false
		}
	}
	return len(part) > 0
}
