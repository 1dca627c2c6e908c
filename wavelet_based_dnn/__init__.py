"""Study: can wavelets give one network that takes images of any size, and more detail on demand?"""
