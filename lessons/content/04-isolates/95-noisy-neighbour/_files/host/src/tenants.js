// Twenty tenants: which program each runs, and the data that it keeps in memory.
const data = [1, 0.5, 2, 8, 0.2, 1, 4, 0.1, 0.5, 3, 1, 0.2, 6, 0.5, 2, 1, 0.1];
export const tenants = data.map((mb, i) => ({ name: "t" + String(i + 1).padStart(2, "0"), program: "HONEST", data_mb: mb }));
tenants.push({ name: "t18", program: "SPINNER", data_mb: 0 });
tenants.push({ name: "t19", program: "HOARDER", data_mb: 0 });
tenants.push({ name: "t20", program: "SLEEPER", data_mb: 0 });
