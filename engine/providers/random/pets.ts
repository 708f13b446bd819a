import { randomInt } from "node:crypto";

const ADVERBS =
    "barely badly boldly briefly calmly clearly closely daily deeply early easily evenly fairly fully gently gladly " +
    "greatly happily highly hugely jointly kindly largely lately lightly likely loosely loudly mainly mildly mostly " +
    "nearly neatly nicely openly partly plainly poorly purely quickly quietly rarely readily really safely sharply " +
    "simply slowly smoothly softly steadily strongly surely truly warmly widely wisely";
const ADJECTIVES =
    "able active ample apt bold brave brief bright brisk calm certain clean clear clever close cool curious daring " +
    "deep eager early easy equal exact fair famous fast fine firm fit flexible fluent fond frank fresh full gentle " +
    "glad golden good grand great handy happy hardy helpful honest humble ideal keen kind large lasting light live " +
    "logical loved loyal lucky major merry mighty modern native neat new nice noble open patient perfect pleasant " +
    "polite proud pure quick quiet rapid rare ready real rich robust safe sharp simple smart smooth solid sound " +
    "stable steady strong sunny super sure swift tender tidy top true trusty unique upright useful valid vast vital " +
    "warm wealthy welcome whole wise witty worthy young";
const NAMES =
    "adder albatross antelope badger barnacle bat bear beaver bee beetle bison boar bobcat buck buffalo camel cardinal " +
    "caribou cat catfish cheetah chicken cobra cod colt coral cougar cow crab crane crayfish cricket crow deer dingo " +
    "dodo dog dolphin donkey dove dragon duck eagle eel elephant elk emu falcon ferret finch fish flamingo flea fly " +
    "fowl fox frog gannet gazelle gecko gelding ghost gibbon giraffe goat goose gopher grouse gull hare hawk hen heron " +
    "herring hippo hornet horse hound husky ibex iguana imp insect jackal jaguar jay jennet joey kangaroo kid kite " +
    "kitten koala krill lamb lark lemming leopard lion lizard llama lobster locust lynx macaw magpie mako mallard " +
    "mammoth manatee marlin marmot marten mink minnow mole monkey moose moth mouse mule muskrat newt octopus opossum " +
    "orca oryx osprey owl ox oyster panda panther parrot peacock pegasus pelican penguin perch pheasant pig pigeon " +
    "piranha polecat pony possum prawn primate puma pup python quagga quail quetzal rabbit raccoon ram raven ray " +
    "redfish reindeer robin rodent rooster salmon sawfish seal shark sheep shiner shrew shrimp skunk sloth slug snail " +
    "snake snipe sole sparrow spider sponge squid stag starfish stingray stork stud swan tadpole tapir teal termite " +
    "terrier thrush tick tiger toad tortoise trout tuna turkey turtle unicorn urchin viper vulture wahoo wallaby " +
    "walrus warthog wasp weasel werewolf whale wildcat wolf wolverine wombat woodcock worm yak zebra";

const WORDS = { adverbs: ADVERBS.split(" "), adjectives: ADJECTIVES.split(" "), names: NAMES.split(" ") };

/**
 * A name of so many words: the last is an animal, the one before it an adjective, all others are adverbs. The words are
 * this engine's own, not those of the official provider.
 */
export function petName(words: number, separator: string): string {
    const adverbs = Array.from({ length: Math.max(0, words - 2) }, () => one(WORDS.adverbs));
    const adjective = words > 1 ? [one(WORDS.adjectives)] : [];
    return [...adverbs, ...adjective, one(WORDS.names)].join(separator);
}

function one(words: readonly string[]): string {
    return words[randomInt(words.length)] ?? "";
}
