/**
 * Number of single-character insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`
 * (optimal string alignment distance).
 */
export function editDistance(a: string, b: string): number {
    let beforeLast: number[] = [];
    let last = Array.from({ length: b.length + 1 }, (_, column) => column);
    for (let row = 1; row <= a.length; row++) {
        const current = [row];
        for (let column = 1; column <= b.length; column++) {
            const replaced = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
            const removed = (last[column] ?? 0) + 1;
            const inserted = (current[column - 1] ?? 0) + 1;
            const swapped =
                row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
                    ? (beforeLast[column - 2] ?? 0) + 1
                    : Infinity;
            current.push(Math.min(replaced, removed, inserted, swapped));
        }
        beforeLast = last;
        last = current;
    }
    return last[b.length] ?? 0;
}

/** A word longer than this is no slip of the pen, and comparing it would take time for nothing. */
const LONGEST_WORD = 64;

/**
 * The known word that was probably meant, or `undefined` when none is near: upper and lower case are alike, and about
 * one character in three may differ.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
    if (word.length > LONGEST_WORD) {
        return undefined;
    }
    const ranked = known
        .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
        .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
        .sort((left, right) => left.distance - right.distance);
    return ranked[0]?.candidate;
}
