/**
 * `57.8 %` of a fraction. Rounded as decimals are: `toFixed` makes 66.8 of 66.85, which has no exact binary form, and
 * one number must not read differently in a stage's summary, the terminal's table and the report.
 */
export function percent(fraction: number, digits = 1): string {
  let format = FORMATS.get(digits);
  if (!format) {
    const decimals = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    format = new Intl.NumberFormat('en', { ...decimals, useGrouping: false });
    FORMATS.set(digits, format);
  }
  return `${format.format(fraction * 100)} %`;
}

// Made once for each: making one takes longer than using it.
const FORMATS = new Map<number, Intl.NumberFormat>();
