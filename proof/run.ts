import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { endWith, scriptArguments } from '../scripts/script-arguments.ts';
import { allLabels } from './all-labels.ts';
import { bertAlbert } from './bert-albert.ts';
import { chatTeacher } from './chat-teacher.ts';
import { continualTasks } from './continual.ts';
import { dynamicWeights } from './dynamic-weights.ts';
import { embeddings } from './embeddings.ts';
import { emoji } from './emoji.ts';
import { emojiGroups } from './emoji-groups.ts';
import { earlyExits } from './exits.ts';
import { fashion } from './fashion.ts';
import { fashionAllLabels } from './fashion-all-labels.ts';
import { fashionSmall } from './fashion-small.ts';
import { fewLabels } from './few-labels.ts';
import { frontier } from './frontier.ts';
import { groups } from './groups.ts';
import { keywords } from './keywords.ts';
import { labellingPrecision } from './labelling-precision.ts';
import { largerThanMemory } from './larger-than-memory.ts';
import { fashionKnowledge, fashionLevels, glossKnowledge, glossLevels } from './levels.ts';
import { languageModels } from './lm.ts';
import { onPolicy } from './on-policy.ts';
import { pairsAtFullSize } from './pairs.ts';
import type { Proof } from './proof.ts';
import { pruning } from './pruning.ts';
import { quantisationAware } from './qat.ts';
import { sampledCache } from './sampled-cache.ts';
import { scenes } from './scenes.ts';
import { scenesBoxes } from './scenes-boxes.ts';
import { severalTeachers } from './several-teachers.ts';
import { speech } from './speech.ts';
import { tags } from './tags.ts';

// `npm run proof [NAME ...] [--fresh]`: real trainings over several seeds. Each proof writes its section of
// docs/results.md, checks what the project promises, and exits with 1 when a promise does not hold. Runs that are
// finished (runs/proof/) are not done again; --fresh does all anew.

const PROOFS: readonly Proof[] = [
  fewLabels,
  labellingPrecision,
  allLabels,
  fashion,
  fashionAllLabels,
  fashionSmall,
  frontier,
  glossKnowledge,
  glossLevels,
  fashionKnowledge,
  fashionLevels,
  pruning,
  groups,
  dynamicWeights,
  continualTasks,
  emoji,
  emojiGroups,
  speech,
  keywords,
  scenesBoxes,
  scenes,
  tags,
  embeddings,
  chatTeacher,
  quantisationAware,
  earlyExits,
  severalTeachers,
  bertAlbert,
  largerThanMemory,
  pairsAtFullSize,
  languageModels,
  sampledCache,
  onPolicy,
];
const RESULTS = new URL('../docs/results.md', import.meta.url);
const README = new URL('../README.md', import.meta.url);

const { values, positionals: wanted } = scriptArguments(import.meta.url, {
  allowPositionals: true,
  options: { fresh: { type: 'boolean', default: false } },
});
const unknown = wanted.filter((name) => !PROOFS.some((proof) => proof.name === name));
if (unknown.length > 0) {
  const names = PROOFS.map(({ name }) => name).join(', ');
  endWith(import.meta.url, `no proof named ${unknown.join(', ')}; there are ${names}`);
}
if (values.fresh) rmSync(new URL('../runs/proof', import.meta.url), { recursive: true, force: true });
const chosen = PROOFS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
// Before hours of training, not after them.
for (const { name, inReadme } of chosen) {
  sectionOf(RESULTS, name);
  if (inReadme) sectionOf(README, 'results');
}
mkdirSync(new URL('../runs/proof', import.meta.url), { recursive: true });
for (const proof of chosen) {
  console.log(`\n## ${proof.title}\n`);
  const { table, text, claims } = await proof.run((line) => console.log(line));
  const cores = availableParallelism();
  const { LIMBECK_THREADS: threads } = process.env;
  const machine =
    `${cpus()[0]?.model.trim()}, ${cores} ${cores === 1 ? 'core' : 'cores'}` +
    `${threads ? ` (LIMBECK_THREADS=${threads})` : ''}, Node ${process.version}`;
  const command = `\`npm run proof ${proof.name}\``;
  const list = claims
    .map((claim) => `- ${claim.holds ? 'holds' : '**does not hold**'}: ${claim.text}`)
    .join('\n');
  const section = `## ${proof.title}\n\n${table}\n\n${text}\n\n${list}\n\n${command} on ${machine}.`;
  console.log(`\n${section}`);
  replaceSection(RESULTS, proof.name, section);
  if (proof.inReadme) replaceSection(README, 'results', `${table}\n\n${text}`);
  if (claims.some(({ holds }) => !holds)) process.exitCode = 1;
}

/** Puts `content` between the comments `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
function replaceSection(file: URL, name: string, content: string): void {
  const { text, from, to } = sectionOf(file, name);
  writeFileSync(file, `${text.slice(0, from)}\n${content}\n${text.slice(to)}`);
}

function sectionOf(file: URL, name: string): { text: string; from: number; to: number } {
  const begin = `<!-- ${name}:begin -->`;
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(`<!-- ${name}:end -->`)];
  if (from < 0 || to < from) throw new Error(`${file.pathname} has no section ${name}`);
  return { text, from: from + begin.length, to };
}
