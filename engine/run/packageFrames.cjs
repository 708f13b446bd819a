"use strict";
/**
 * Loaded into the program's process before the SDK's runner, whose `source-map-support` maps every frame of every
 * stack trace back to TypeScript. For frames within packages that does harm only:
 *
 * - The SDK takes a stack trace for every promise it makes; mapping its own frames is most of what a trace costs.
 * - `node_modules/@pulumi/pulumi/config.js` is mapped to `node_modules/@pulumi/config.ts`, a file that does not exist.
 *   Node 20 loops until memory is full when it colours a path with a scope and no folder of a package behind it
 *   (`markNodeModules` in lib/internal/util/inspect.js), as the SDK asks it to for every error of the program.
 *
 * So such frames are presented to it as native ones, which it leaves as they are. Frames of the program stay mapped.
 */
let current = Error.prepareStackTrace;

Object.defineProperty(Error, "prepareStackTrace", {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (prepare) => {
        current = isSourceMapper(prepare) ? (error, frames) => prepare(error, frames.map(unmapped)) : prepare;
    },
});

/** True for the function that `source-map-support` installs; others, like `callsites`, want the frames as they are. */
function isSourceMapper(prepare) {
    return typeof prepare === "function" && String(prepare).includes("wrapCallSite");
}

function unmapped(frame) {
    const file = frame.getFileName();
    return typeof file === "string" && /[/\\]node_modules[/\\]/.test(file)
        ? { isNative: () => true, toString: () => frame.toString() }
        : frame;
}
