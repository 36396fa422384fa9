import type { AnsweredToken, TokenChance } from './reply.ts';

/** How probable each label is as the answer, and how much went elsewhere. */
export interface LabelShares {
  /** By label; they sum to 1 less `outside`. */
  readonly shares: Float64Array;
  /** Probability of answers that begin like no label. */
  readonly outside: number;
}

/**
 * Reads probabilities of labels from the log-probabilities of an answer's tokens. A token that begins several labels leaves
 * them apart at the next place, if it is the one that was chosen; else its probability is shared among them alike. What the
 * listed alternatives leave of 1 goes to the labels that none of them begins, at most as much each as the least likely one
 * that is listed: the endpoint would have listed a likelier one.
 *
 * @param tokens the first tokens of the answer
 * @param labels codes or names; compared without case and leading spaces
 */
export function labelShares(tokens: readonly AnsweredToken[], labels: readonly string[]): LabelShares {
  const wanted = labels.map(normal);
  const shares = new Float64Array(labels.length);
  let outside = 0;

  const spread = (fits: readonly number[], mass: number) => {
    for (const label of fits) shares[label]! += mass / fits.length;
  };

  function walk(place: number, before: string, among: readonly number[], mass: number): void {
    const at = tokens[place] as AnsweredToken;
    const listed = withChosen(at);
    const begun = new Set<number>();
    let left = 1;
    for (const { token, logprob } of listed) {
      const probability = Math.min(1, Math.exp(logprob));
      left -= probability;
      const said = normal(before + token);
      const fits = among.filter((label) => fitsBegin(said, wanted[label] as string));
      for (const label of fits) begun.add(label);
      if (fits.length === 0) outside += mass * probability;
      else if (fits.length > 1 && token === at.token && place + 1 < tokens.length)
        walk(place + 1, before + token, fits, mass * probability);
      else spread(fits, mass * probability);
    }
    const rest = Math.max(0, left);
    const unseen = among.filter((label) => !begun.has(label));
    const least = listed.reduce((low, { logprob }) => Math.min(low, Math.exp(logprob)), 1);
    const given = Math.min(rest, unseen.length * least);
    spread(unseen, mass * given);
    outside += mass * (rest - given);
  }

  if (tokens.length > 0)
    walk(
      0,
      '',
      labels.map((_, label) => label),
      1,
    );
  else outside = 1;
  return { shares, outside };
}

/** The listed ones and the chosen one, which some endpoints do not list. */
function withChosen({ token, logprob, top }: AnsweredToken): readonly TokenChance[] {
  const one = new Map(top.map((chance) => [chance.token, chance]));
  if (!one.has(token)) one.set(token, { token, logprob });
  return [...one.values()];
}

/** Whether what was said so far may become the label, or is the label and something that ends it (`B)`, `B.`). */
function fitsBegin(said: string, label: string): boolean {
  if (said === '') return true;
  if (label.startsWith(said)) return true;
  return said.startsWith(label) && !/^[\p{L}\p{N}]/u.test(said.slice(label.length));
}

function normal(text: string): string {
  return text.trimStart().toLowerCase();
}

/** By which the probability of a token may differ from the same one in its list: what rounding makes of it. */
const MOST_DIFFERENCE = 0.02;

/** What is wrong with log-probabilities, if something is: they are no probabilities, or do not belong to the answer. */
export function logprobProblem(text: string | null, tokens: readonly AnsweredToken[]): string | undefined {
  for (const { token, logprob, top } of tokens) {
    const wrong = [{ token, logprob }, ...top].find((one) => !(one.logprob <= 1e-3));
    if (wrong) return `the log-probability of '${wrong.token}' is ${wrong.logprob}`;
    const listed = top.find((one) => one.token === token);
    if (listed && Math.abs(Math.exp(listed.logprob) - Math.exp(logprob)) > MOST_DIFFERENCE)
      return `'${token}' has two log-probabilities, ${logprob} and ${listed.logprob}`;
    const sum = withChosen({ token, logprob, top }).reduce((total, one) => total + Math.exp(one.logprob), 0);
    if (sum > 1.02) return `the probabilities of '${token}' and its alternatives sum to ${sum.toFixed(2)}`;
    if (new Set(top.map((one) => one.token)).size < top.length)
      return `the alternatives to '${token}' have one token twice`;
  }
  const spelt = tokens.map(({ token }) => token).join('');
  // Vocabularies write letters of other alphabets as bytes.
  const isPlain = /^[\x20-\x7e\s]*$/.test(`${text ?? ''}${spelt}`);
  if (
    isPlain &&
    text !== null &&
    text !== '' &&
    !text.trim().startsWith(spelt.trim()) &&
    !spelt.trim().startsWith(text.trim())
  )
    return `the tokens spell '${spelt.slice(0, 40)}', the answer is '${text.slice(0, 40)}'`;
  return undefined;
}
