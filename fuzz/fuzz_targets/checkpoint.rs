#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ckaad_engine::fuzzing::checkpoint(bytes, &ckaad_device::cpu());
});
