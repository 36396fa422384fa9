/** Numbers that a template may count to at once. */
const LONGEST_RANGE = 100_000;

/**
 * The day that templates are told when they ask for today's, so that the same data give the same texts on every day: the one that
 * Llama 3.1's own template falls back on.
 */
const DAY = new Date(Date.UTC(2024, 6, 26, 12));

/** What chat templates may call besides what Jinja has, as transformers gives it to them. */
export const TEMPLATE_GLOBALS: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range,
  strftime_now: (format: string) => strftime(DAY, format),
  raise_exception(message: unknown): never {
    throw new Error(String(message));
  },
};

function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= LONGEST_RANGE)) throw new Error(`range() of ${count} numbers`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

function strftime(day: Date, format: string): string {
  const [two, named] = [
    (number: number) => String(number).padStart(2, '0'),
    (options: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', ...options }).format(day),
  ];
  const parts: Readonly<Record<string, string>> = {
    Y: String(day.getUTCFullYear()),
    y: two(day.getUTCFullYear() % 100),
    m: two(day.getUTCMonth() + 1),
    d: two(day.getUTCDate()),
    B: named({ month: 'long' }),
    b: named({ month: 'short' }),
    A: named({ weekday: 'long' }),
    a: named({ weekday: 'short' }),
    H: two(day.getUTCHours()),
    M: two(day.getUTCMinutes()),
    S: two(day.getUTCSeconds()),
    '%': '%',
  };
  return format.replace(/%(.)/g, (whole, letter: string) => parts[letter] ?? whole);
}
