/**
 * Two suites: `unit` is everything that needs nothing but this machine (`npm test`), `lab` needs the virtual lab
 * (`npm run test:lab`) and lies in `*.lab.test.ts`.
 */
const shared = {
    testEnvironment: "node",
    rootDir: __dirname,
    transform: { "^.+\\.[cm]?[jt]s$": ["@swc/jest", { jsc: { target: "es2022" }, module: { type: "commonjs" } }] },
    testPathIgnorePatterns: ["/node_modules/", "<rootDir>/.lab/"],
};

module.exports = {
    // Most of these tests wait for processes of their own: one core kept free, as is usual, would be idle.
    maxWorkers: "100%",
    reporters: ["default", "<rootDir>/tests/totals-reporter.cjs"],
    projects: [
        { ...shared, displayName: "unit", testMatch: ["<rootDir>/tests/**/!(*.lab).test.ts"] },
        { ...shared, displayName: "lab", testMatch: ["<rootDir>/tests/**/*.lab.test.ts"] },
    ],
};
