/** A garment of a scene by its name; position and size are parts of the scene's sides. */
export interface NamedThing {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What garments are called in a sentence. */
const NOUNS: Readonly<Record<string, string>> = {
  'T-shirt/top': 'a T-shirt',
  Trouser: 'a pair of trousers',
  Pullover: 'a pullover',
  Dress: 'a dress',
  Coat: 'a coat',
  Sandal: 'a sandal',
  Shirt: 'a shirt',
  Sneaker: 'a sneaker',
  Bag: 'a bag',
  'Ankle boot': 'an ankle boot',
};

/** Thirds of the scene, by column and row. */
const PLACES = [
  ['at the top left', 'at the top', 'at the top right'],
  ['on the left', 'in the middle', 'on the right'],
  ['at the bottom left', 'at the bottom', 'at the bottom right'],
] as const;

/**
 * Says what is where, from left to right: `A bag at the top left, a coat in the middle and an ankle boot on the right.`
 *
 *     sentence = thing | things " and " thing ;  things = thing { ", " thing }
 *     thing = noun " " place ;  place = one of nine thirds by thirds
 */
export function sceneSentence(things: readonly NamedThing[]): string {
  if (things.length === 0) return 'Nothing.';
  const middle = ({ x, width }: NamedThing) => x + width / 2;
  const said = [...things]
    .sort((a, b) => middle(a) - middle(b) || a.y - b.y)
    .map((thing) => `${NOUNS[thing.label] ?? `a ${thing.label}`} ${placeOf(thing)}`);
  const last = said.pop() as string;
  const sentence = said.length > 0 ? `${said.join(', ')} and ${last}` : last;
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

function placeOf({ x, y, width, height }: NamedThing): string {
  const third = (middle: number) => Math.min(2, Math.floor(3 * middle)) as 0 | 1 | 2;
  return PLACES[third(y + height / 2)][third(x + width / 2)];
}
