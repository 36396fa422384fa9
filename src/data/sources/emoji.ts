import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { packageFile } from '../../platform/node-modules.ts';
import { dirname, join } from '../../platform/paths.ts';
import { readRegularFile, readRegularText } from '../../regular-file.ts';
import { hashFile } from '../hash-file.ts';
import { type CutSheet, cutSheet } from './emoji-sheet.ts';
import { defineSource } from './source.ts';

const options = z
  .strictObject({
    vendor: z
      .enum(['google', 'twitter'])
      .default('google')
      .describe("Whose drawings: Google's (Apache-2.0) or Twitter's (CC-BY-4.0)."),
    language: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]{2,4})?$/, { error: 'expected the code of a language, like en or zh-hant' })
      .default('en')
      .describe('The language of names and tags, one of those of emojibase-data: en, de, fr, ja ...'),
    skinTones: z
      .boolean()
      .default(true)
      .describe('Whether the variants by skin tone are images of their own.'),
    countries: z
      .boolean()
      .default(true)
      .describe(
        'Whether the flags of countries are among them. Nobody can tell one that he never saw by its name.',
      ),
    background: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, { error: 'expected a colour like #ffffff' })
      .default('#ffffff')
      .describe('The colour behind the drawings, which are transparent.'),
  })
  .meta({
    title: 'Emoji',
    description:
      'Drawings of 32x32 pixels (npm emoji-datasource-google or emoji-datasource-twitter) with names, tags and groups (npm emojibase-data).',
  });

type EmojiOptions = z.output<typeof options>;

/**
 * Emoji with their columns: `image`; `text` (name and tags), `name`, `tags`; `label`, one of nine groups (Food & Drink), and
 * `subgroup`; `emoji`, the characters. The group of a sample is the emoji, with all its skin tones.
 */
export const emoji = defineSource({
  kind: 'emoji',
  options,
  async open(chosen) {
    const drawings = packageFolder(`emoji-datasource-${chosen.vendor}`);
    const names = packageFolder('emojibase-data');
    const sheet = join(drawings, 'img', chosen.vendor, 'sheets', '32.png');
    const list = join(drawings, 'emoji.json');
    const dictionary = dictionaryFile(names, chosen.language);
    return {
      title: `emoji as ${VENDORS[chosen.vendor]} draws them`,
      fingerprint: async () =>
        JSON.stringify(['emoji', 1, chosen, ...[sheet, list, dictionary].map(hashFile)]),
      declares: async () => ({ image: { dims: [3, SIDE, SIDE] as const } }),
      async *rows(signal?: AbortSignal) {
        const cells = await cutSheet(readRegularFile(sheet), {
          side: SIDE,
          gap: GAP,
          background: chosen.background,
        });
        const named = readDictionary(dictionary);
        for (const row of readList(list, chosen)) {
          signal?.throwIfAborted();
          yield sampleOf(row, cells, named);
        }
      },
    };
  },
});

const VENDORS = { google: 'Google', twitter: 'Twitter' };
/** Pixels of a drawing, and around it in the sheet. */
const SIDE = 32;
const GAP = 1;

/** One drawing, as emoji-datasource lists it. */
const drawingSchema = z.looseObject({
  unified: z.string(),
  non_qualified: z.string().nullish(),
  sheet_x: z.int().min(0),
  sheet_y: z.int().min(0),
});
const emojiSchema = drawingSchema.extend({
  name: z.string().nullish(),
  short_names: z.array(z.string()).optional(),
  category: z.string(),
  subcategory: z.string(),
  skin_variations: z.record(z.string(), drawingSchema).optional(),
});

interface Drawing extends z.output<typeof drawingSchema> {
  /** Of the emoji without a skin tone. */
  readonly emoji: string;
  readonly name: string;
  readonly group: string;
  readonly subgroup: string;
}

const FLAGS = ['country-flag', 'subdivision-flag'];
/** Skin tones alone and parts of hair: no emoji that people write. */
const PARTS = 'Component';

function* readList(path: string, { skinTones, countries }: EmojiOptions): Generator<Drawing> {
  for (const one of z.array(emojiSchema).parse(JSON.parse(readRegularText(path)))) {
    const { unified, category, subcategory, skin_variations, name, short_names } = one;
    if (category === PARTS || (!countries && FLAGS.includes(subcategory))) continue;
    const variants = skinTones ? Object.values(skin_variations ?? {}) : [];
    for (const drawing of [one, ...variants]) {
      yield {
        unified: drawing.unified,
        non_qualified: drawing.non_qualified,
        sheet_x: drawing.sheet_x,
        sheet_y: drawing.sheet_y,
        emoji: unified,
        name: (name ?? short_names?.[0] ?? unified).toLowerCase(),
        group: category,
        subgroup: subcategory,
      };
    }
  }
}

/** What an emoji is called. */
interface Name {
  readonly label: string;
  readonly tags: readonly string[];
}

const nameSchema = z.looseObject({
  hexcode: z.string(),
  label: z.string(),
  tags: z.array(z.string()).optional(),
});
const dictionarySchema = z.array(nameSchema.extend({ skins: z.array(nameSchema).optional() }));

/** Names by code point; a skin tone has the tags of its emoji. */
function readDictionary(path: string): ReadonlyMap<string, Name> {
  const names = new Map<string, Name>();
  for (const { hexcode, label, tags = [], skins = [] } of dictionarySchema.parse(
    JSON.parse(readRegularText(path)),
  )) {
    names.set(hexcode, { label, tags });
    for (const skin of skins) names.set(skin.hexcode, { label: skin.label, tags });
  }
  return names;
}

function sampleOf(drawing: Drawing, cells: CutSheet, names: ReadonlyMap<string, Name>) {
  const { unified, non_qualified, emoji: group, sheet_x, sheet_y } = drawing;
  const characters = String.fromCodePoint(...unified.split('-').map((code) => Number.parseInt(code, 16)));
  const where = `emoji ${unified}`;
  const pixels = cells.cell(sheet_x, sheet_y);
  if (!pixels)
    return { broken: { where, problem: 'its drawing is not in the sheet', reason: 'image' as const } };
  const found = [unified, non_qualified ?? '', unified.replaceAll('-FE0F', '')].map((code) =>
    names.get(code),
  );
  const { label: name, tags } = found.find((one) => one !== undefined) ?? { label: drawing.name, tags: [] };
  return {
    sample: {
      id: unified,
      group,
      where,
      values: {
        image: { pixels, dims: [3, SIDE, SIDE] },
        text: [name, ...tags].join(', '),
        name,
        tags: tags.join(', '),
        label: drawing.group,
        subgroup: drawing.subgroup,
        emoji: characters,
      },
    },
  };
}

function dictionaryFile(folder: string, language: string): string {
  const path = join(folder, language, 'data.json');
  try {
    hashFile(path);
    return path;
  } catch (cause) {
    throw new LimbeckError('data.missing', `emojibase-data has no names in the language '${language}'`, {
      where: 'data.source.language',
      remedy: 'Use one of its folders: en, de, fr, es, it, ja, ko, pt, ru, zh ...',
      cause,
    });
  }
}

/** @throws LimbeckError `data.not-installed` with the command that installs it */
export function packageFolder(name: string): string {
  try {
    return dirname(packageFile(`${name}/package.json`, import.meta.url));
  } catch (cause) {
    throw new LimbeckError('data.not-installed', `the package ${name} is not installed`, {
      remedy: `Install it beside its dictionary: npm install ${name} emojibase-data`,
      cause,
    });
  }
}
