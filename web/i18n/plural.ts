/** The forms of a countable text; `#` stands for the number. Which of them a language uses, `Intl.PluralRules` knows. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

export type Count = (n: number, forms: Forms, written?: string) => string;

/** Picks the form for a number and writes the number as the locale does, or as it is `written`. */
export function counting(locale: string): Count {
  const rules = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  return (n, forms, written = numbers.format(n)) =>
    (forms[rules.select(n)] ?? forms.other).replace('#', written);
}
