"""Can an attack survive a low-pass filter, stay indiscernible, and fool several architectures?"""
