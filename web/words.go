package web

import (
	"crypto/rand"
	"strings"
)

// phraseWords is how many words a resume phrase has: 48 bits, which nobody
// guesses through a door that lets a few wrong ones a minute pass.
const phraseWords = 6

// newPhrase makes a resume phrase: words of eight bits each.
func newPhrase() string {
	b := make([]byte, phraseWords)
	rand.Read(b) // never fails: it ends the program instead
	words := strings.Fields(wordList)
	out := make([]string, len(b))
	for i, n := range b {
		out[i] = words[n]
	}
	return strings.Join(out, " ")
}

// phraseForm is the form in which a typed phrase is compared: small letters,
// single spaces, whatever stood between the words.
func phraseForm(typed string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(typed), func(r rune) bool { return r < 'a' || r > 'z' }), " ")
}

// wordList is 256 short words that differ well when read aloud or copied.
const wordList = `
acorn actor agent alarm album alley amber angle ankle apple apron arena arrow atlas attic autumn
bacon badge bagel bamboo banjo barley basil basket beacon bean bench berry bicycle birch biscuit blanket
bottle branch brass bread breeze brick bridge broom bucket buffalo button cabin cactus camel camera canal
candle canoe canyon carbon cargo carpet carrot castle cedar cellar cello chalk cherry chimney cider circus
clay clock cloud clover cobalt coconut comet copper coral cotton cradle crane crayon cricket crystal cup
daisy dancer delta desert diamond dolphin donkey dragon drum eagle easel echo elbow ember engine falcon
feather fern fiddle finger flame flute forest fossil fountain fox galaxy garden garlic ginger glacier globe
goose grape gravel guitar hammer harbor harvest hazel helmet heron hill honey hornet horse ice igloo
island ivory jacket jaguar jelly jewel jungle kayak kettle kitten ladder lagoon lantern lemon lettuce lily
lion lizard lobster locket lotus magnet mango maple marble meadow melon mirror mitten monkey moose mosaic
mountain muffin museum napkin nectar needle nickel noodle nutmeg oak oasis ocean olive onion orbit orchid
otter oyster paddle palace panda paper parrot peach peanut pebble pencil pepper piano pigeon pillow pilot
planet plum pocket pony poplar potato prairie pumpkin puzzle quartz quilt rabbit radish raven ribbon river
robin rocket saddle salmon sandal sapphire saturn scarf shadow shell silver sparrow spider spoon squirrel statue
stone sugar sunset table tailor teapot temple thunder tiger tomato trumpet tulip tunnel turtle umbrella valley
velvet violin walnut walrus wagon water whale willow window winter wizard wolf yarn yogurt zebra zipper
`
