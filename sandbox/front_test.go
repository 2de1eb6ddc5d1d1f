package sandbox

import "testing"

// Where no route decides, the Worker answers that no other one calls, and not
// the first by name.
func TestFrontWorker(t *testing.T) {
	s := open(t)
	config := func(name, more string) string {
		return `{"name":"` + name + `","main":"index.js","compatibility_date":"2026-11-01"` + more + `}`
	}
	code := func(name string) string {
		return `export default { fetch() { return new Response("` + name + `"); } };`
	}
	files := map[string]string{
		"cart/wrangler.jsonc": config("cart", `,"services":[{"binding":"SELF","service":"cart"}]`), "cart/index.js": code("cart"),
		"shop/wrangler.jsonc": config("shop", `,"services":[{"binding":"CART","service":"cart"}]`), "shop/index.js": code("shop"),
	}
	deploy(t, s, key("front"), files)
	if got := get(t, s, key("front"), "/").body; got != "shop" {
		t.Errorf("%q answers, want shop", got)
	}
	// Those that call each other all stand behind another: the first answers.
	files["cart/wrangler.jsonc"] = config("cart", `,"services":[{"binding":"SHOP","service":"shop"}]`)
	deploy(t, s, key("circle"), files)
	if got := get(t, s, key("circle"), "/").body; got != "cart" {
		t.Errorf("%q answers, want cart", got)
	}
}
