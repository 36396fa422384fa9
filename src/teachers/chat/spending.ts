import { LimbeckError } from '../../errors.ts';
import type { ChatChoice } from './options.ts';
import type { TokenUsage } from './reply.ts';

interface Tokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What tokens cost, in the currency of the recipe; undefined where it gives no prices. */
export function priceOf(
  { prices }: Pick<ChatChoice, 'prices'>,
  { inputTokens, outputTokens }: Tokens,
): number | undefined {
  return prices && (inputTokens * prices.input + outputTokens * prices.output) / 1e6;
}

/** `0.0123 USD`, with two significant digits at least. */
export function moneyText(amount: number, { prices }: Pick<ChatChoice, 'prices'>): string {
  const digits = amount >= 1 || amount === 0 ? 2 : Math.min(8, 1 - Math.floor(Math.log10(amount)));
  return `${amount.toFixed(Math.max(2, digits))} ${prices?.currency ?? ''}`.trim();
}

/** Keeps a run within its budget: what requests may cost at most is set aside before they are sent. */
export class Spending {
  readonly #choice: Pick<ChatChoice, 'prices' | 'budget'>;
  #input: number;
  #output: number;
  #asideInput = 0;
  #asideOutput = 0;

  /** @param spent by all runs before */
  constructor(choice: Pick<ChatChoice, 'prices' | 'budget'>, spent: Tokens) {
    this.#choice = choice;
    this.#input = spent.inputTokens;
    this.#output = spent.outputTokens;
  }

  /** Sets aside what a request costs at most; false where that could go beyond the budget. */
  reserve({ input, output }: TokenUsage): boolean {
    const inputTokens = this.#input + this.#asideInput + input;
    const outputTokens = this.#output + this.#asideOutput + output;
    const { budget } = this.#choice;
    const money = priceOf(this.#choice, { inputTokens, outputTokens });
    const isBeyond =
      (budget?.tokens !== undefined && inputTokens + outputTokens > budget.tokens) ||
      (budget?.money !== undefined && money !== undefined && money > budget.money);
    if (isBeyond) return false;
    this.#asideInput += input;
    this.#asideOutput += output;
    return true;
  }

  /** Takes back what was set aside, and counts what the request cost; nothing where it failed. */
  settle(aside: TokenUsage, usage?: TokenUsage): void {
    this.#asideInput -= aside.input;
    this.#asideOutput -= aside.output;
    this.#input += usage?.input ?? 0;
    this.#output += usage?.output ?? 0;
  }

  /** `12,345 tokens, 0.0123 USD`. */
  get told(): string {
    const tokens = { inputTokens: this.#input, outputTokens: this.#output };
    const money = priceOf(this.#choice, tokens);
    const count = `${(this.#input + this.#output).toLocaleString('en')} tokens`;
    return money === undefined ? count : `${count}, ${moneyText(money, this.#choice)}`;
  }

  /** That the next request could cost more than is left. */
  exhausted(): LimbeckError {
    const { budget } = this.#choice;
    const limits = [
      budget?.tokens !== undefined && `${budget.tokens.toLocaleString('en')} tokens`,
      budget?.money !== undefined && moneyText(budget.money, this.#choice),
    ].filter(Boolean);
    return new LimbeckError(
      'teacher.budget',
      `the budget for the teacher is used up: ${this.told} of ${limits.join(' and ')}`,
      {
        where: 'teacher.budget',
        remedy: 'All answers are kept. With a larger budget the same command goes on where it stopped.',
      },
    );
  }
}
